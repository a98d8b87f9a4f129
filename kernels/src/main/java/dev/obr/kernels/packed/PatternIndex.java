package dev.obr.kernels.packed;

import dev.obr.kernels.ObrException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How each pattern writes down which entries of a row it keeps.
 *
 * <pre>
 *   dense         nothing
 *   2:4           4 bits for each 4 columns:  bits 1:0 the first kept column, bits 3:2 the second, ascending
 *   4:8p          4 bits for each 8 columns:  bits 1:0 the first kept pair {2 i, 2 i + 1}, bits 3:2 the second, ascending
 *   4:8  32:64    1 bit for each column, 1 = kept, the first column in the lowest bit
 *   unstructured  the same
 * </pre>
 *
 * <p>Bytes fill up from their lowest bit; unused bits at the end of a row are 0. Eight fields of 4 bits make one 32-bit little-endian word: the metadata word that sparse tensor
 * cores take for 32 (2:4) or 64 (4:8p) columns of a row.
 */
final class PatternIndex {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private PatternIndex() {}

    /** Whether positions of 2 bits are stored, rather than one bit a column. */
    static boolean storesPositions(Pattern pattern) {
        return pattern == Pattern.TWO_OF_FOUR || pattern == Pattern.PAIRS_4_OF_8;
    }

    /** Bytes of one row's index. */
    static int rowBytes(Pattern pattern, int cols) {
        if (pattern == Pattern.DENSE) {
            return 0;
        }
        int padded = pattern.paddedColumns(cols);
        return storesPositions(pattern) ? Math.ceilDiv(padded / pattern.group(), 2) : Math.ceilDiv(padded, 8);
    }

    /** Entries that every row of a dense or grouped matrix keeps, padding included. */
    static int keptPerRow(Pattern pattern, int cols) {
        return pattern.grouped() ? pattern.paddedColumns(cols) / 2 : cols;
    }

    /** Bits that are 1 in {@code bytes} bytes. */
    static int ones(MemorySegment index, long offset, int bytes) {
        int ones = 0;
        int i = 0;
        for (; i + 8 <= bytes; i += 8) {
            ones += Long.bitCount(index.get(LONG, offset + i));
        }
        for (; i < bytes; i++) {
            ones += Integer.bitCount(index.get(ValueLayout.JAVA_BYTE, offset + i) & 0xff);
        }
        return ones;
    }

    /** Checks that every row of a matrix keeps what its pattern says. */
    static void check(PackedMatrix matrix, String name) {
        Pattern pattern = matrix.pattern();
        int bytes = rowBytes(pattern, matrix.cols());
        int units = pattern.paddedColumns(matrix.cols()) / pattern.group();
        for (int row = 0; row < matrix.rows(); row++) {
            long offset = (long) row * bytes;
            boolean legal = switch (pattern) {
                case DENSE -> true;
                case TWO_OF_FOUR, PAIRS_4_OF_8 -> positionsAscend(matrix.index(), offset, units);
                case FOUR_OF_EIGHT -> groupsKeep(matrix.index(), offset, units, 1, 4);
                case HALF_OF_64 -> groupsKeep(matrix.index(), offset, units, 8, 32);
                case UNSTRUCTURED -> endsWithin(matrix.index(), offset, bytes, matrix.cols());
            };
            if (!legal) {
                throw new ObrException(name + ": the index of row " + row + " breaks the pattern " + pattern
                        + "; the file is damaged: compress the model again");
            }
        }
    }

    /** Sixteen fields at a time: with a field's positions a (low) and b as bits, a < b is b1 ā1 or, where the high bits agree, b0 ā0. */
    private static boolean positionsAscend(MemorySegment index, long offset, int fields) {
        for (int first = 0; first < fields; first += 16) {
            int count = Math.min(16, fields - first);
            long word = word(index, offset + first / 2, Math.ceilDiv(count, 2));
            long a1 = word >>> 1;
            long b0 = word >>> 2;
            long b1 = word >>> 3;
            long ascends = (b1 & ~a1 | ~(b1 ^ a1) & b0 & ~word) & 0x1111111111111111L;
            if (ascends != 0x1111111111111111L >>> 4 * (16 - count)) {
                return false;
            }
            if (count % 2 == 1 && word >>> 4 * count != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean groupsKeep(MemorySegment index, long offset, int groups, int bytes, int kept) {
        for (int i = 0; i < groups; i++) {
            if (Long.bitCount(word(index, offset + (long) i * bytes, bytes)) != kept) {
                return false;
            }
        }
        return true;
    }

    /** Up to eight bytes from {@code offset} on, the rest 0. */
    static long word(MemorySegment index, long offset, int bytes) {
        if (bytes == 8) {
            return index.get(LONG, offset);
        }
        long word = 0;
        for (int i = 0; i < bytes; i++) {
            word |= (index.get(ValueLayout.JAVA_BYTE, offset + i) & 0xffL) << 8 * i;
        }
        return word;
    }

    /** No bit beyond the last column. */
    private static boolean endsWithin(MemorySegment index, long offset, int bytes, int cols) {
        return cols % 8 == 0 || (index.get(ValueLayout.JAVA_BYTE, offset + bytes - 1) & 0xff) >> cols % 8 == 0;
    }
}
