package dev.obr.compressor.eval;

import dev.obr.kernels.ObrException;

/**
 * What a model says about one token before it is seen: p_i = exp(logit_i) / sum_j exp(logit_j).
 *
 * <p>Sums are taken in double precision: a sum over 128,000 words in float32 would be off in the fourth digit.
 */
public final class Prediction {
    private final float[] logits;
    private final double logSum; // ln sum_j exp(logit_j)
    private final int top;

    private Prediction(float[] logits, double logSum, int top) {
        this.logits = logits;
        this.logSum = logSum;
        this.top = top;
    }

    /**
     * @param logits [vocabularySize], kept, not copied
     * @param model its name, for messages
     * @throws ObrException if a logit is NaN or positive infinity, or all are negative infinity
     */
    public static Prediction of(float[] logits, String model) {
        int top = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[top]) {
                top = i;
            }
        }
        double max = logits[top];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max); // NaN anywhere makes the sum NaN
        }
        if (!Double.isFinite(sum) || !Double.isFinite(max)) {
            throw new ObrException(
                    "The model " + model + " gives logits that are not finite: its weights are damaged, or"
                            + " too large for the number format of its activations; check the file, or compress it again.");
        }
        return new Prediction(logits, max + Math.log(sum), top);
    }

    /** ln p of a token: 0 or less. */
    public double logProbability(int token) {
        return logits[token] - logSum;
    }

    /** The most probable token; the lowest id of several. */
    public int top() {
        return top;
    }

    /** KL(reference || this) = sum_i r_i (ln r_i - ln p_i), in nats: 0 or more, up to rounding. */
    public double divergenceFrom(Prediction reference) {
        double divergence = 0;
        for (int i = 0; i < logits.length; i++) {
            double logR = reference.logits[i] - reference.logSum;
            double r = Math.exp(logR);
            if (r > 0) { // 0 ln 0 = 0, also where the logits are minus infinity
                divergence += r * (logR - (logits[i] - logSum));
            }
        }
        return Math.max(0, divergence);
    }
}
