package dev.obr.kernels.packed;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Packs codes and a mask into the canonical layout of {@link PackedMatrix}.
 *
 * <p>Groups of grouped patterns always store half of their entries. Where a mask keeps fewer (a row of zeros, the padding after the last column), the first columns left over are
 * stored with it, as zeros.
 */
public final class Packing {
    private final Pattern pattern;
    private final int bits;
    private final int rows;
    private final int cols;
    private final int padded;
    private final byte[] codes;
    private final boolean[] mask;
    private final byte[] keptCodes; // of one row, and one more

    private Packing(Pattern pattern, int bits, int rows, int cols, byte[] codes, boolean[] mask) {
        this.pattern = pattern;
        this.bits = bits;
        this.rows = rows;
        this.cols = cols;
        this.padded = pattern.paddedColumns(cols);
        this.codes = codes;
        this.mask = mask;
        this.keptCodes = new byte[padded + 1];
    }

    /**
     * The packed form of W = scales[r] · codes[r, c].
     *
     * @param bits of a code, 4 or 8
     * @param codes signed [rows, cols], in -8 .. 7 for 4 bits; 0 wherever the mask keeps nothing
     * @param mask [rows, cols], true where an entry is kept; not read for the dense pattern
     * @param scales [rows], of either sign
     * @throws IllegalArgumentException where a code is out of range or outside of the mask, a group keeps more than its pattern allows, or a scale is not finite
     */
    public static PackedMatrix pack(
            Pattern pattern, int bits, int rows, int cols, byte[] codes, boolean[] mask, float[] scales) {
        long elements = (long) rows * cols;
        if (codes.length != elements || scales.length != rows || pattern != Pattern.DENSE && mask.length != elements) {
            throw new IllegalArgumentException("a matrix [" + rows + ", " + cols + "] does not have " + codes.length
                    + " codes, " + mask.length + " mask entries and " + scales.length + " scales");
        }
        return new Packing(pattern, bits, rows, cols, codes, mask).matrix(scales);
    }

    /**
     * Bytes of a packed matrix: codes, index and scales.
     *
     * @param keptPerRow entries of a row that are kept; asked for by {@link Pattern#UNSTRUCTURED} alone
     */
    public static long byteSize(Pattern pattern, int bits, int rows, int cols, int keptPerRow) {
        int kept = pattern == Pattern.UNSTRUCTURED ? keptPerRow : PatternIndex.keptPerRow(pattern, cols);
        return rows * (PackedMatrix.codeBytes(kept, bits) + PatternIndex.rowBytes(pattern, cols) + Float.BYTES);
    }

    private PackedMatrix matrix(float[] scales) {
        int indexBytes = PatternIndex.rowBytes(pattern, cols);
        byte[] index = new byte[Math.multiplyExact(rows, indexBytes)];
        byte[] packed = new byte[Math.toIntExact((long) rows * PackedMatrix.codeBytes(padded, bits))];
        boolean[] kept = new boolean[padded];
        int end = 0;
        for (int row = 0; row < rows; row++) {
            keep(row, kept);
            writeIndex(kept, index, row * indexBytes);
            end = writeCodes(row, kept, packed, end);
        }
        MemorySegment steps = MemorySegment.ofArray(new byte[4 * rows]);
        for (int row = 0; row < rows; row++) {
            if (!PackedMatrix.isStep(scales[row])) {
                throw new IllegalArgumentException("the scale of row " + row + " is " + scales[row]);
            }
            steps.set(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 4L * row, scales[row]);
        }
        return new PackedMatrix(
                pattern,
                bits,
                rows,
                cols,
                MemorySegment.ofArray(packed).asSlice(0, end),
                MemorySegment.ofArray(index),
                steps);
    }

    /** The row's mask, with groups filled up to the number that their pattern stores. */
    private void keep(int row, boolean[] kept) {
        for (int c = 0; c < padded; c++) {
            boolean inside = c < cols;
            kept[c] = inside && (pattern == Pattern.DENSE || mask[row * cols + c]);
            if (inside && codes[row * cols + c] != 0 && !kept[c]) {
                throw new IllegalArgumentException(
                        "row " + row + ", column " + c + " is pruned but has the code " + codes[row * cols + c]);
            }
        }
        if (pattern.grouped()) {
            for (int start = 0; start < padded; start += pattern.group()) {
                fill(row, start, kept);
            }
        }
    }

    private void fill(int row, int start, boolean[] kept) {
        int unit = pattern.unit();
        int missing = pattern.keptPerGroup() / unit;
        for (int c = start; c < start + pattern.group(); c += unit) {
            boolean any = kept[c] || kept[c + unit - 1];
            kept[c] = any;
            kept[c + unit - 1] = any;
            missing -= any ? 1 : 0;
        }
        if (missing < 0) {
            throw new IllegalArgumentException("row " + row + " keeps more in columns " + start + " to "
                    + (start + pattern.group() - 1) + " than the pattern " + pattern + " allows");
        }
        for (int c = start; missing > 0; c += unit) {
            if (!kept[c]) {
                kept[c] = true;
                kept[c + unit - 1] = true;
                missing--;
            }
        }
    }

    private void writeIndex(boolean[] kept, byte[] index, int at) {
        if (pattern == Pattern.DENSE) {
            return;
        }
        if (!PatternIndex.storesPositions(pattern)) {
            for (int c = 0; c < padded; c++) {
                index[at + c / 8] |= (byte) ((kept[c] ? 1 : 0) << c % 8);
            }
            return;
        }
        for (int start = 0, field = 0; start < padded; start += pattern.group(), field++) {
            int positions = 0;
            int shift = 0;
            for (int position = 0; position < 4; position++) {
                if (kept[start + position * pattern.unit()]) {
                    positions |= position << shift;
                    shift += 2;
                }
            }
            index[at + field / 2] |= (byte) (positions << field % 2 * 4);
        }
    }

    /** Appends a row's codes; returns where the next row's start. */
    private int writeCodes(int row, boolean[] kept, byte[] packed, int at) {
        int limit = 1 << bits - 1;
        int count = 0;
        for (int c = 0; c < padded; c++) {
            int code = c < cols ? codes[row * cols + c] : 0;
            if (code < -limit || code >= limit) {
                throw new IllegalArgumentException(
                        "row " + row + ", column " + c + " has the code " + code + ", too large for " + bits + " bits");
            }
            keptCodes[count] = (byte) code; // overwritten by the next one if it is not kept: no branch to mispredict
            count += kept[c] ? 1 : 0;
        }
        keptCodes[count] = 0;
        int bytes = (int) PackedMatrix.codeBytes(count, bits);
        for (int i = 0; i < bytes; i++) {
            packed[at + i] = bits == 8 ? keptCodes[i] : (byte) (keptCodes[2 * i] & 15 | keptCodes[2 * i + 1] << 4);
        }
        return at + bytes;
    }
}
