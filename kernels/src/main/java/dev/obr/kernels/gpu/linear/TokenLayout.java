package dev.obr.kernels.gpu.linear;

import static dev.obr.kernels.gpu.linear.SparseFragments.STEP;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How activation codes lie in a device's memory: [tokens] rows, filled up with zeros to whole steps of 128 columns.
 *
 * <pre>
 *   INT4   64 bytes a step    column 2i in the low half of byte i, 2i + 1 in the high half
 *   INT8  128 bytes a step    | 64 bytes of the even columns | 64 bytes of the odd ones |      4 bytes of each for 8 columns (a chunk), the chunks in the tensor core's order
 * </pre>
 */
public enum TokenLayout {
    /** 4-bit codes. */
    INT4(4),
    /** Codes of up to 8 bits. */
    INT8(8);

    private final int bits;

    TokenLayout(int bits) {
        this.bits = bits;
    }

    /** Bits that hold a code. */
    public int bits() {
        return bits;
    }

    /** Bytes of one token. */
    public int rowBytes(int columns) {
        return SparseFragments.steps(columns) * STEP * bits / 8;
    }

    /** The byte of a row that holds a column's code. */
    private int place(int column) {
        if (this == INT4) {
            return column / 2;
        }
        int chunk = SparseFragments.transposed(column % STEP / 8);
        return column / STEP * STEP + column % 2 * (STEP / 2) + chunk * 4 + column % 8 / 2;
    }

    /** Stores the code of one column of the row that begins at {@code row}, which held 0. */
    public void put(MemorySegment memory, long row, int column, int code) {
        long at = row + place(column);
        int bits = this == INT8 ? code : memory.get(ValueLayout.JAVA_BYTE, at) | (code & 15) << column % 2 * 4;
        memory.set(ValueLayout.JAVA_BYTE, at, (byte) bits);
    }

    /** The code of one column of the row that begins at {@code row}. */
    public int get(MemorySegment memory, long row, int column) {
        int bits = memory.get(ValueLayout.JAVA_BYTE, row + place(column));
        return this == INT8 ? bits : bits << 28 - column % 2 * 4 >> 28;
    }
}
