package dev.obr.compressor.imports;

import dev.obr.compressor.mask.Mask;

/**
 * A weight [rows, cols] whose every row is a scale times codes.
 *
 * @param codes [rows, cols], row-major, in [-8, 7]
 * @param scales [rows], above 0; 0 where the whole row is
 */
public record RecoveredWeight(int rows, int cols, byte[] codes, float[] scales) {
    /** What is not zero. A weight that was kept but rounded to zero cannot be told from a pruned one, and need not be. */
    public Mask mask() {
        boolean[] kept = new boolean[codes.length];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = codes[i] != 0;
        }
        return new Mask(rows, cols, kept);
    }

    /** Entries that are zero. */
    public long zeros() {
        long zeros = 0;
        for (byte code : codes) {
            zeros += code == 0 ? 1 : 0;
        }
        return zeros;
    }
}
