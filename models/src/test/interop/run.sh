#!/bin/sh
# `pull` against Python's huggingface_hub, both ways: run.sh JAR. The library is installed into build/interop, which git ignores.
set -eu
jar=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
mkdir -p build/interop
cd build/interop
[ -x py/bin/python ] || python3 -m venv py
py/bin/python -c 'import huggingface_hub' 2>/dev/null || py/bin/pip -q install huggingface_hub
py/bin/python "$here/pull.py" "$jar"
