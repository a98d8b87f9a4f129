"""Random blocks of each storage type and the floats that gguf-py reads from them.

    pip install gguf==0.19.0 numpy && python dequantize_fixture.py ../resources/dev/obr/kernels/cpu/dequantize

Writes TYPE.blocks (the bytes as they lie in a GGUF file) and TYPE.floats (little-endian float32).
"""
import sys
from pathlib import Path

import gguf
import numpy as np

BLOCKS = 6
# byte offsets of the half floats of a block: random bits there would give infinities and NaNs
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q4_K": [0, 2], "Q6_K": [208]}


def main(folder: Path) -> None:
    rng = np.random.default_rng(20260101)
    for name in ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q6_K"]:
        kind = gguf.GGMLQuantizationType[name]
        block_size, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        if block_size == 1:
            values = np.concatenate([rng.standard_normal(500).astype(np.float32), np.float32([0.0, -0.0, 1e-7, -6e-8, 65504, 3e-5, -2.0])])
            blocks = gguf.quantize(values, kind).view(np.uint8)
        else:
            blocks = rng.integers(0, 256, (BLOCKS, block_bytes), dtype=np.uint8)
            for offset in HALVES[name]:
                blocks[:, offset : offset + 2] = rng.standard_normal(BLOCKS).astype(np.float16).view(np.uint8).reshape(BLOCKS, 2)
        floats = np.ascontiguousarray(gguf.dequantize(blocks.view(np.float16) if name == "F16" else blocks, kind)).astype("<f4")
        (folder / f"{name}.blocks").write_bytes(blocks.tobytes())
        (folder / f"{name}.floats").write_bytes(floats.tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
