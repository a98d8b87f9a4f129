#!/usr/bin/env bash
# NVIDIA's CUDA C++ compiler, assembler and disassemblers from pinned Python wheels: no driver, no GPU, 300 MB.
# Usage: compiler.sh DIR        installs there if need be, and prints the folder that holds nvcc, ptxas, nvdisasm and cuobjdump
set -euo pipefail
dir=${1:?folder to install in}
[ -x "$dir/bin/python3" ] || python3 -m venv "$dir"
bin=$("$dir/bin/python3" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/nvidia/cu13/bin
if [ ! -x "$bin/cuobjdump" ]; then
  "$dir/bin/pip" install -q --no-deps nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96 \
    nvidia-cuda-cccl==13.0.85 nvidia-cuda-nvdisasm==13.5.37 nvidia-cuda-cuobjdump==13.5.37 >&2
fi
echo "$bin"
