package dev.obr.compressor.eval;

/**
 * How surprised a model is by a text: exp of the mean of -ln p(token) over the scored tokens.
 *
 * <p>Windows are equally long, so the mean over tokens is the mean over windows of each window's mean.
 *
 * @param logLoss mean of -ln p, with the standard error over tokens, as llama-perplexity states it
 */
public record Perplexity(MeanAndError logLoss) {
    /** @param negativeLogProbabilities of the scored tokens, in nats */
    public static Perplexity of(double[] negativeLogProbabilities) {
        return new Perplexity(MeanAndError.of(negativeLogProbabilities));
    }

    /** 1 or more. */
    public double value() {
        return Math.exp(logLoss.mean());
    }

    /** Standard error of {@link #value}, to first order. */
    public double error() {
        return value() * logLoss.error();
    }
}
