package dev.obr.kernels.packed;

import dev.obr.kernels.ObrException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A compressed weight W [rows, cols] in the canonical layout, which is the file's: the codes of the kept entries, where they stand, and one scale per output channel.
 *
 * <pre>
 *   W[r, c] = scales[r] · code[r, c],  0 where the mask keeps nothing
 *
 *   codes   row by row, each from a byte of its own: the kept entries in ascending column order, signed, 4 bits (the first in the low half of a byte) or 8
 *   index   row by row, each from a byte of its own, in the manner of the pattern ({@link PatternIndex})
 *   scales  float32 [rows], little-endian
 * </pre>
 *
 * <p>Grouped patterns count columns that are padded to whole groups; the padding is never more than zeros. Rows of the unstructured pattern keep different numbers of entries: where
 * their codes start is counted from the index when the matrix is opened, not stored.
 *
 * <p>Usually three slices of a memory-mapped file: the matrix owns nothing and is valid as long as they are. Sizes are checked here, contents by {@link #check}.
 */
public final class PackedMatrix {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Pattern pattern;
    private final int bits;
    private final int rows;
    private final int cols;
    private final MemorySegment codes;
    private final MemorySegment index;
    private final MemorySegment scales;
    private final long @Nullable [] rowStarts; // [rows + 1], bytes; null where every row takes as many

    /**
     * @param bits of a code, 4 or 8
     * @param rows output channels
     * @param cols input channels, without padding
     * @throws IllegalArgumentException where a segment has not the size that shape, bits, pattern and index call for
     */
    public PackedMatrix(
            Pattern pattern,
            int bits,
            int rows,
            int cols,
            MemorySegment codes,
            MemorySegment index,
            MemorySegment scales) {
        if (bits != 4 && bits != 8) {
            throw new IllegalArgumentException("codes have 4 or 8 bits, not " + bits);
        }
        if (rows < 0 || cols < 0 || cols > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException("no matrix has the shape [" + rows + ", " + cols + "]");
        }
        this.pattern = pattern;
        this.bits = bits;
        this.rows = rows;
        this.cols = cols;
        this.codes = codes;
        this.index = index;
        this.scales = scales;
        checkSize("scales", scales, 4L * rows);
        checkSize("index", index, (long) rows * PatternIndex.rowBytes(pattern, cols));
        this.rowStarts = pattern == Pattern.UNSTRUCTURED ? countedStarts() : null;
        checkSize(
                "codes",
                codes,
                rowStarts == null ? rows * codeBytes(PatternIndex.keptPerRow(pattern, cols), bits) : rowStarts[rows]);
    }

    private void checkSize(String part, MemorySegment memory, long expected) {
        if (memory.byteSize() != expected) {
            throw new IllegalArgumentException("a matrix [" + rows + ", " + cols + "] with " + bits
                    + "-bit codes on the pattern " + pattern + " has " + expected + " bytes of " + part + ", not "
                    + memory.byteSize());
        }
    }

    private long[] countedStarts() {
        long[] starts = new long[rows + 1];
        int rowBytes = PatternIndex.rowBytes(pattern, cols);
        for (int row = 0; row < rows; row++) {
            starts[row + 1] = starts[row] + codeBytes(PatternIndex.ones(index, (long) row * rowBytes, rowBytes), bits);
        }
        return starts;
    }

    /** Bytes that {@code count} codes of one row take. */
    static long codeBytes(int count, int bits) {
        return Math.ceilDiv((long) count * bits, 8);
    }

    public Pattern pattern() {
        return pattern;
    }

    /** Bits of a code: 4 or 8. */
    public int bits() {
        return bits;
    }

    /** Output channels. */
    public int rows() {
        return rows;
    }

    /** Input channels, without padding. */
    public int cols() {
        return cols;
    }

    /** All codes. */
    public MemorySegment codes() {
        return codes;
    }

    /** All of the pattern's index; empty for dense matrices. */
    public MemorySegment index() {
        return index;
    }

    /** float32 [rows], little-endian, not aligned in every file. */
    public MemorySegment scales() {
        return scales;
    }

    /** The step between two codes of a row. */
    public float scale(int row) {
        return scales.get(FLOAT, 4L * row);
    }

    /** The codes of one row: of its kept entries, in ascending column order. */
    public MemorySegment rowCodes(int row) {
        long from = rowStarts == null ? row * (codes.byteSize() / Math.max(1, rows)) : rowStarts[row];
        long to = rowStarts == null ? from + codes.byteSize() / Math.max(1, rows) : rowStarts[row + 1];
        return codes.asSlice(from, to - from);
    }

    /** The index of one row. */
    public MemorySegment rowIndex(int row) {
        int bytes = PatternIndex.rowBytes(pattern, cols);
        return index.asSlice((long) row * bytes, bytes);
    }

    /** Bytes of codes, index and scales. */
    public long byteSize() {
        return codes.byteSize() + index.byteSize() + scales.byteSize();
    }

    /** Bits that one weight takes, index and scales included. */
    public double bitsPerWeight() {
        return 8.0 * byteSize() / ((double) rows * cols);
    }

    /**
     * The codes of one row in place: 0 where nothing is kept.
     *
     * @param signed receives {@code cols} codes from {@code at} on
     */
    public void unpackRow(int row, byte[] signed, int at) {
        PackedRow.unpack(this, row, signed, at);
    }

    /**
     * One row as numbers: scale · code.
     *
     * @param y receives {@code cols} floats from {@code at} on
     */
    public void dequantizeRow(int row, float[] y, int at) {
        byte[] signed = new byte[cols];
        unpackRow(row, signed, 0);
        float scale = scale(row);
        for (int c = 0; c < cols; c++) {
            y[at + c] = scale * signed[c];
        }
    }

    /**
     * Reads through index and scales: whoever follows the index afterwards stays within a row's codes and columns.
     *
     * @param name of the matrix and its file, for messages
     * @throws ObrException where the index breaks the pattern, or a scale is infinite or no number
     */
    public PackedMatrix check(String name) {
        PatternIndex.check(this, name);
        for (int row = 0; row < rows; row++) {
            float scale = scale(row);
            if (!isStep(scale)) {
                throw new ObrException(name + ": the scale of row " + row + " is " + scale
                        + ", but a finite number is expected; the file is damaged: compress the model again");
            }
        }
        return this;
    }

    /** Whether a number can be the step between two codes; a negative one mirrors them. */
    static boolean isStep(float scale) {
        return Float.isFinite(scale);
    }
}
