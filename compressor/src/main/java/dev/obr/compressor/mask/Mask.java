package dev.obr.compressor.mask;

import java.util.Arrays;

/**
 * Which entries of a weight [rows, cols] are kept.
 *
 * @param kept row-major, exactly {@code rows · cols}; shared, not copied
 */
public record Mask(int rows, int cols, boolean[] kept) {
    public Mask {
        if ((long) rows * cols != kept.length) {
            throw new IllegalArgumentException(
                    "a mask [" + rows + ", " + cols + "] does not have " + kept.length + " entries");
        }
    }

    /** Keeps everything. */
    public static Mask dense(int rows, int cols) {
        boolean[] kept = new boolean[Math.multiplyExact(rows, cols)];
        Arrays.fill(kept, true);
        return new Mask(rows, cols, kept);
    }

    public boolean keeps(int row, int col) {
        return kept[row * cols + col];
    }

    /** Entries of {@code row} that are kept. */
    public int keptInRow(int row) {
        int count = 0;
        for (int i = row * cols; i < (row + 1) * cols; i++) {
            count += kept[i] ? 1 : 0;
        }
        return count;
    }
}
