package dev.obr.kernels;

/**
 * How numbers are stored: plain floats, the block formats of GGUF (whose exact bits docs/architecture.md links to), or bare codes.
 *
 * <p>A block type stores {@link #blockSize()} consecutive weights of one row in {@link #blockBytes()} bytes; plain types are blocks of one.
 */
public enum DType {
    F32(1, 4),
    F16(1, 2),
    BF16(1, 2),
    /** 32 x (scale F16, int8). */
    Q8_0(32, 34),
    /** 32 x (scale F16, 4-bit code - 8). */
    Q4_0(32, 18),
    /** 32 x (scale F16, minimum F16, 4-bit code). */
    Q4_1(32, 20),
    /** 256 in 8 groups of 32, each with a 6-bit scale and minimum, under one F16 pair. */
    Q4_K(256, 144),
    /** 256 in 16 groups of 16, each with an 8-bit scale, under one F16 scale; 6-bit codes - 32. */
    Q6_K(256, 210),
    /** int8 codes; what a code stands for is kept elsewhere. */
    CODES_8(1, 1),
    /** 2 x signed 4-bit code, the first in the low half; what a code stands for is kept elsewhere. */
    CODES_4(2, 1);

    private final int blockSize;
    private final int blockBytes;

    DType(int blockSize, int blockBytes) {
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** Whether it is a float format. */
    public boolean isFloat() {
        return this == F32 || this == F16 || this == BF16;
    }

    /** Weights in one block. */
    public int blockSize() {
        return blockSize;
    }

    /** Bytes of one block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Bytes that {@code count} consecutive weights take; {@code count} must be a multiple of {@link #blockSize()}. */
    public long bytes(long count) {
        if (count % blockSize != 0) {
            throw new IllegalArgumentException(
                    count + " weights are no whole number of " + this + " blocks of " + blockSize);
        }
        return Math.multiplyExact(count / blockSize, (long) blockBytes);
    }
}
