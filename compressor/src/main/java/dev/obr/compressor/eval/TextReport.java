package dev.obr.compressor.eval;

import org.jspecify.annotations.Nullable;

/**
 * What a text says about a model.
 *
 * @param perplexity of the model
 * @param reference of the model that it was compared with, or null
 * @param divergence from that model, or null
 * @param tokens run through the model
 * @param seconds taken
 */
public record TextReport(
        Perplexity perplexity,
        @Nullable Perplexity reference,
        @Nullable Divergence divergence,
        long tokens,
        double seconds) {
    /** Tokens a second, scoring included (and the reference's work, if there is one). */
    public double tokensPerSecond() {
        return tokens / seconds;
    }
}
