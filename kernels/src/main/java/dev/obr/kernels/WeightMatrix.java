package dev.obr.kernels;

import java.lang.foreign.MemorySegment;

/**
 * The weight W [rows, cols] of a linear layer as it lies in memory: row-major, rows = output channels, no padding between rows.
 *
 * <p>Usually a slice of a memory-mapped file: the record owns nothing and is valid as long as its segment is.
 *
 * @param type how each row is stored
 * @param rows output channels
 * @param cols input channels, a multiple of the type's block size
 * @param memory exactly {@code rows * type.bytes(cols)} bytes
 */
public record WeightMatrix(DType type, int rows, int cols, MemorySegment memory) {
    public WeightMatrix {
        if (rows < 0 || cols < 0) {
            throw new IllegalArgumentException("negative shape [" + rows + ", " + cols + "]");
        }
        long expected = Math.multiplyExact(rows, type.bytes(cols));
        if (memory.byteSize() != expected) {
            throw new IllegalArgumentException(
                    type + " [" + rows + ", " + cols + "] takes " + expected + " bytes, not " + memory.byteSize());
        }
    }

    /** Bytes of one row. */
    public long rowBytes() {
        return type.bytes(cols);
    }

    /** The bytes of row {@code r}. */
    public MemorySegment row(int r) {
        return memory.asSlice(r * rowBytes(), rowBytes());
    }
}
