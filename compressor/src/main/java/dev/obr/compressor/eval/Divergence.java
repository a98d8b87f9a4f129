package dev.obr.compressor.eval;

import java.util.Arrays;

/**
 * How far a model's predictions are from those of a reference, token by token: KL(reference || model) in nats.
 *
 * @param mean with its standard error
 * @param median half of the tokens diverge less
 * @param percentile99 99% of the tokens diverge less
 * @param maximum of all tokens
 * @param sameTop share of tokens for which both find the same one most probable, with its standard error
 */
public record Divergence(MeanAndError mean, double median, double percentile99, double maximum, MeanAndError sameTop) {
    /**
     * @param divergences per token
     * @param sameTop per token: 1 if both find the same one most probable, else 0
     */
    public static Divergence of(double[] divergences, double[] sameTop) {
        double[] sorted = divergences.clone();
        Arrays.sort(sorted);
        return new Divergence(
                MeanAndError.of(divergences),
                quantile(sorted, 0.5),
                quantile(sorted, 0.99),
                sorted[sorted.length - 1],
                MeanAndError.of(sameTop));
    }

    /** Between two values of the sample, the straight line that joins them. */
    private static double quantile(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
