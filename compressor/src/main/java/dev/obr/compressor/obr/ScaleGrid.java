package dev.obr.compressor.obr;

import dev.obr.compressor.quantizer.WeightGrid;

/**
 * The scales that a row of codes is tried with: 0.6 to 1.2 times the row's own in steps of 0.025, each of both signs. A negative scale mirrors the grid, whose negative side is one code longer.
 *
 * @param lowest the least code
 * @param highest the greatest code
 */
record ScaleGrid(int lowest, int highest) {
    /** How many there are. */
    static final int CANDIDATES = 50;

    /** Adding and subtracting it rounds a float to the nearest whole number, to even at a half. */
    private static final float ROUND = 12_582_912; // 1.5 · 2^23

    /** @throws IllegalArgumentException if the codes are not symmetric */
    static ScaleGrid of(WeightGrid grid) {
        if (!grid.symmetric()) {
            throw new IllegalArgumentException("signed scales need symmetric codes");
        }
        return new ScaleGrid(grid.lowest(), grid.highest());
    }

    /** The scale of a candidate for a row whose own is {@code base}. */
    static float candidate(int index, float base) {
        double size = 0.6 + 0.025 * (index / 2);
        return (float) (index % 2 == 0 ? size * base : -size * base);
    }

    /** The code of {@code value}, as a whole float. */
    float code(float value, float scale) {
        return Math.max(lowest, Math.min(highest, value / scale)) + ROUND - ROUND;
    }
}
