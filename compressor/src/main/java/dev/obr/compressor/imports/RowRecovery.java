package dev.obr.compressor.imports;

import java.util.Arrays;

/**
 * Finds the grid that one row of dequantised weights lies on: a scale s and codes k in [-8, 7] so that {@code round(s · k)}, in the checkpoint's precision, is every entry exactly.
 *
 * <p>A row has at most 8 different magnitudes m. If the largest has the code k, then s lies in [lower(m), upper(m)] / k, the numbers that round to m divided by k. Every other magnitude
 * is given the nearest code and narrows that interval to its own; the grid is found when something is left. k = 1, 2, .. 8 are tried in turn, so of several grids the coarsest is
 * taken: codes that share a factor cannot be told from codes without it, and stand for the same weights. Two fractions of whole numbers up to 8 differ by more than 1/56 of
 * their size, many times the rounding of half precision (2^-11) and bfloat16 (2^-8), so codes without a common factor are the original ones.
 *
 * <p>Not safe to share between threads.
 */
final class RowRecovery {
    private static final int MAX_CODE = 8;

    /** Products s · k are rounded to float32 before they are rounded to the checkpoint's precision. */
    private static final double FLOAT_ROUNDING = 0x1p-22;

    /** Neighbours of the middle of an interval that are tried: more than a narrow one holds. */
    private static final int NEIGHBOURS = 16;

    private final StoredPrecision precision;
    private final float[] magnitudes = new float[MAX_CODE]; // different ones, in order of appearance
    private final int[] codeOf = new int[MAX_CODE]; // code of each
    private int count;

    RowRecovery(StoredPrecision precision) {
        this.precision = precision;
    }

    /**
     * Recovers one row.
     *
     * @param row dequantised weights
     * @param codes receives as many codes from {@code at} on
     * @return the scale: 0 for a row of zeros, NaN where the row lies on no grid
     */
    float recover(float[] row, byte[] codes, int at) {
        if (!collect(row, codes, at)) {
            return Float.NaN;
        }
        if (count == 0) {
            return 0;
        }
        boolean largestIsPositive = isPositive(row, largest());
        for (int k = count; k <= (largestIsPositive ? MAX_CODE - 1 : MAX_CODE); k++) {
            float scale = scale(k);
            if (!Float.isNaN(scale)) {
                for (int c = 0; c < row.length; c++) {
                    int code = codes[at + c] == 0 ? 0 : codeOf[codes[at + c] - 1];
                    codes[at + c] = (byte) (row[c] < 0 ? -code : code);
                }
                return scale;
            }
        }
        return Float.NaN;
    }

    /** Lists the different magnitudes, and notes for each entry 0 or 1 + the place of its own; false where there are too many or one is no number. */
    private boolean collect(float[] row, byte[] codes, int at) {
        count = 0;
        Arrays.fill(magnitudes, 0);
        for (int c = 0; c < row.length; c++) {
            float magnitude = Math.abs(row[c]);
            int place = 0;
            if (magnitude != 0) {
                while (place < count && magnitudes[place] != magnitude) {
                    place++;
                }
                if (place == MAX_CODE || !Float.isFinite(magnitude)) {
                    return false;
                }
                if (place == count) {
                    magnitudes[count++] = magnitude;
                }
                place++;
            }
            codes[at + c] = (byte) place;
        }
        return true;
    }

    private float largest() {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, magnitudes[i]);
        }
        return largest;
    }

    private static boolean isPositive(float[] row, float value) {
        for (float entry : row) {
            if (entry == value) {
                return true;
            }
        }
        return false;
    }

    /** The scale with which the largest magnitude has the code {@code k}, or NaN; {@link #codeOf} then has all codes. */
    private float scale(int k) {
        float largest = largest();
        double lower = precision.lower(largest) / k;
        double upper = precision.upper(largest) / k;
        for (int i = 0; i < count; i++) {
            float magnitude = magnitudes[i];
            int code = (int) Math.rint(magnitude / ((lower + upper) / 2));
            if (code < 1 || code > k) {
                return Float.NaN;
            }
            codeOf[i] = code;
            lower = Math.max(lower, precision.lower(magnitude) / code);
            upper = Math.min(upper, precision.upper(magnitude) / code);
            if (lower > upper * (1 + FLOAT_ROUNDING)) {
                return Float.NaN;
            }
        }
        return exactNear((float) ((lower + upper) / 2));
    }

    /** The float nearest to {@code middle} that gives every magnitude exactly, or NaN. */
    private float exactNear(float middle) {
        for (int distance = 0; distance <= NEIGHBOURS; distance++) {
            for (int steps : new int[] {distance, -distance}) {
                float scale = StoredPrecision.FLOAT.step(middle, steps);
                if (isExact(scale)) {
                    return scale;
                }
            }
        }
        return Float.NaN;
    }

    private boolean isExact(float scale) {
        for (int i = 0; i < count; i++) {
            if (precision.round(scale * codeOf[i]) != magnitudes[i]) {
                return false;
            }
        }
        return true;
    }
}
