package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.sampling.SamplerOptions;
import java.util.List;

/**
 * How a text is generated.
 *
 * @param maxTokens most new tokens; -1 until the model ends or the context is full
 * @param sampling how each token is chosen
 * @param stop strings that end the text before them
 * @param keepFirstLogits whether the result holds the logits of the first position
 */
public record GenerationOptions(int maxTokens, SamplerOptions sampling, List<String> stop, boolean keepFirstLogits) {
    public GenerationOptions {
        stop = List.copyOf(stop);
        if (maxTokens < -1 || maxTokens == 0) {
            throw new ObrException(
                    "The option max-tokens is " + maxTokens + ", but must be 1 or more, or -1 for no limit.");
        }
        if (stop.contains("")) {
            throw new ObrException("A stop string is empty: leave it out.");
        }
    }

    /** {@link SamplerOptions#defaults}, no limit, no stop strings. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(-1, SamplerOptions.defaults(), List.of(), false);
    }

    /** Always the likeliest token. */
    public static GenerationOptions greedy() {
        return defaults().withTemperature(0);
    }

    public GenerationOptions withMaxTokens(int maxTokens) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits);
    }

    public GenerationOptions withSampling(SamplerOptions sampling) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits);
    }

    /** As {@link SamplerOptions#withTemperature}. */
    public GenerationOptions withTemperature(float temperature) {
        return withSampling(sampling.withTemperature(temperature));
    }

    /** As {@link SamplerOptions#withTopK}. */
    public GenerationOptions withTopK(int topK) {
        return withSampling(sampling.withTopK(topK));
    }

    /** As {@link SamplerOptions#withTopP}. */
    public GenerationOptions withTopP(float topP) {
        return withSampling(sampling.withTopP(topP));
    }

    /** As {@link SamplerOptions#withMinP}. */
    public GenerationOptions withMinP(float minP) {
        return withSampling(sampling.withMinP(minP));
    }

    /** As {@link SamplerOptions#withRepeatPenalty}. */
    public GenerationOptions withRepeatPenalty(float repeatPenalty) {
        return withSampling(sampling.withRepeatPenalty(repeatPenalty));
    }

    /** As {@link SamplerOptions#withRepeatLastN}. */
    public GenerationOptions withRepeatLastN(int repeatLastN) {
        return withSampling(sampling.withRepeatLastN(repeatLastN));
    }

    /** As {@link SamplerOptions#withSeed}. */
    public GenerationOptions withSeed(long seed) {
        return withSampling(sampling.withSeed(seed));
    }

    public GenerationOptions withStop(List<String> stop) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits);
    }

    public GenerationOptions withFirstLogits(boolean keep) {
        return new GenerationOptions(maxTokens, sampling, stop, keep);
    }
}
