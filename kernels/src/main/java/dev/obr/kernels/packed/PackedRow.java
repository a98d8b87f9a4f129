package dev.obr.kernels.packed;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Takes one row of a {@link PackedMatrix} apart: the specification of the canonical layout. */
final class PackedRow {
    private PackedRow() {}

    static void unpack(PackedMatrix matrix, int row, byte[] signed, int at) {
        byte[] kept = codes(matrix, row);
        int cols = matrix.cols();
        if (matrix.pattern() == Pattern.DENSE) {
            System.arraycopy(kept, 0, signed, at, cols);
            return;
        }
        Arrays.fill(signed, at, at + cols, (byte) 0);
        byte[] index = matrix.rowIndex(row).toArray(ValueLayout.JAVA_BYTE);
        if (PatternIndex.storesPositions(matrix.pattern())) {
            placeByPosition(matrix.pattern(), kept, index, signed, at, cols);
        } else {
            placeByBitmap(kept, MemorySegment.ofArray(index), signed, at, cols);
        }
    }

    /** The kept entries of a row, in ascending column order; with 4 bits possibly one more than there are. */
    private static byte[] codes(PackedMatrix matrix, int row) {
        byte[] bytes = matrix.rowCodes(row).toArray(ValueLayout.JAVA_BYTE);
        if (matrix.bits() == 8) {
            return bytes;
        }
        byte[] codes = new byte[2 * bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            codes[2 * i] = (byte) (bytes[i] << 28 >> 28);
            codes[2 * i + 1] = (byte) (bytes[i] >> 4);
        }
        return codes;
    }

    /** Each 4-bit field of the index names two units of its group; a unit is 1 column of 4, or 2 of 8. */
    private static void placeByPosition(Pattern pattern, byte[] kept, byte[] index, byte[] signed, int at, int cols) {
        int unit = pattern.unit();
        int next = 0;
        for (int start = 0, i = 0; start < cols; start += pattern.group(), i++) {
            int field = index[i / 2] >> (i % 2 * 4) & 15;
            for (int position : new int[] {field & 3, field >> 2}) {
                for (int c = start + position * unit; c < start + position * unit + unit; c++, next++) {
                    if (c < cols) {
                        signed[at + c] = kept[next];
                    }
                }
            }
        }
    }

    private static void placeByBitmap(byte[] kept, MemorySegment index, byte[] signed, int at, int cols) {
        int next = 0;
        for (int start = 0; start < cols; start += 64) {
            int bytes = (int) Math.min(8, index.byteSize() - start / 8);
            for (long ones = PatternIndex.word(index, start / 8, bytes); ones != 0; ones &= ones - 1) {
                int c = start + Long.numberOfTrailingZeros(ones);
                if (c >= cols) {
                    return; // padding, and ascending
                }
                signed[at + c] = kept[next++];
            }
        }
    }
}
