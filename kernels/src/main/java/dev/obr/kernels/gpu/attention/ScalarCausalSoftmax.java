package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.gpu.Exponential;

/**
 * What the kernel {@code causal_softmax} makes of one query's scores, bit by bit, sums in the order of a warp's lanes:
 *
 * <pre>
 *   e[c] = e^(s[c] - largest)        of the positions c that the query sees
 *   p[c] = e[c] / Σ e                0 behind them
 * </pre>
 */
public final class ScalarCausalSoftmax {
    private static final int LANES = 32;

    private ScalarCausalSoftmax() {}

    /**
     * Turns scores into weights.
     *
     * @param scores [columns], in place
     * @param seen positions that the query sees, at least one
     */
    public static void run(float[] scores, int seen) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int c = 0; c < seen; c++) {
            largest = Float.isNaN(scores[c]) ? largest : Math.max(largest, scores[c]);
        }
        float[] sums = new float[LANES];
        for (int c = 0; c < seen; c++) {
            float below = scores[c] - largest;
            scores[c] = Math.fma(0, below, Exponential.of(below)); // what is no number stays one
            sums[c % LANES] += scores[c];
        }
        for (int apart = LANES / 2; apart > 0; apart /= 2) {
            for (int lane = 0; lane < apart; lane++) {
                sums[lane] += sums[lane + apart];
            }
        }
        for (int c = 0; c < scores.length; c++) {
            scores[c] = c < seen ? scores[c] / sums[0] : 0;
        }
    }
}
