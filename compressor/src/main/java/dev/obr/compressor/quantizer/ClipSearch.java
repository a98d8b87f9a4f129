package dev.obr.compressor.quantizer;

/**
 * Shrinks the range of a grid in 80 steps of 1% and keeps the one of least error {@code sum |deq(w) - w|^2.4}; the widest wins a tie.
 *
 * <p>An error within half a step is {@code scale^2.4 · f^2.4} of a fraction f in [0, 1/2], read from a table with linear interpolation (4e-7 of the sum off, less than float32 sums are);
 * only clipped weights take a power. A range is given up as soon as its sum exceeds the best.
 */
final class ClipSearch {
    private static final int STEPS = 80;
    private static final double POWER = 2.4;
    private static final int ENTRIES = 4096;
    private static final float[] POWERS = new float[ENTRIES + 2];

    static {
        for (int i = 0; i < POWERS.length; i++) {
            POWERS[i] = (float) Math.pow(0.5 * i / ENTRIES, POWER);
        }
    }

    private final WeightGrid grid;
    private final float[] weights;
    private final int from;
    private final int to;
    private double least = Double.POSITIVE_INFINITY;
    private float scale;
    private float zero;

    /** Searches for the weights [from, to). */
    ClipSearch(WeightGrid grid, float[] weights, int from, int to) {
        this.grid = grid;
        this.weights = weights;
        this.from = from;
        this.to = to;
    }

    /** Shrinks the range [lo, hi]; lo is 0 for a symmetric grid. */
    void search(float lo, float hi) {
        for (int i = 0; i < STEPS; i++) {
            float share = (float) (1 - i / 100.0);
            float step = (share * hi - share * lo) / grid.highest();
            float origin = WeightQuantizer.zeroOf(share * lo, step);
            double unit = Math.pow(step, POWER);
            double error = error(step, origin, least / unit) * unit;
            if (error < least) {
                least = error;
                scale = step;
                zero = origin;
            }
        }
    }

    float scale() {
        return scale;
    }

    float zero() {
        return zero;
    }

    /** The error in units of {@code step^2.4}, or more than {@code limit} as soon as that is certain. */
    private double error(float step, float origin, double limit) {
        float lowest = grid.lowest() - origin;
        float highest = grid.highest() - origin;
        double sum = 0;
        for (int block = from; block < to && !(sum > limit); block += 64) {
            int end = Math.min(block + 64, to);
            for (int i = block; i < end; i++) {
                float steps = weights[i] / step;
                float code = Math.max(lowest, Math.min(highest, (float) Math.rint(steps)));
                float off = Math.abs(steps - code);
                if (off <= 0.5f) {
                    float at = off * (2 * ENTRIES);
                    int entry = (int) at;
                    sum += POWERS[entry] + (at - entry) * (POWERS[entry + 1] - POWERS[entry]);
                } else {
                    sum += Math.pow(off, POWER);
                }
            }
        }
        return sum;
    }
}
