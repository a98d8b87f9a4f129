package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.grammar.Grammar;
import dev.obr.runtime.sampling.SamplerOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a text is generated.
 *
 * @param maxTokens most new tokens; -1 until the model ends or the context is full
 * @param sampling how each token is chosen
 * @param stop strings that end the text before them
 * @param keepFirstLogits whether the result holds the logits of the first position
 * @param grammar what the text must be, or null for any text; cut short by {@code maxTokens}, a stop string or the end of the context, it is a beginning of such a text
 */
public record GenerationOptions(
        int maxTokens,
        SamplerOptions sampling,
        List<String> stop,
        boolean keepFirstLogits,
        @Nullable Grammar grammar) {
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
        return new GenerationOptions(-1, SamplerOptions.defaults(), List.of(), false, null);
    }

    /** Always the likeliest token. */
    public static GenerationOptions greedy() {
        return defaults().withTemperature(0);
    }

    public GenerationOptions withMaxTokens(int maxTokens) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits, grammar);
    }

    public GenerationOptions withSampling(SamplerOptions sampling) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits, grammar);
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

    /** As {@link SamplerOptions#withPresencePenalty}. */
    public GenerationOptions withPresencePenalty(float presencePenalty) {
        return withSampling(sampling.withPresencePenalty(presencePenalty));
    }

    /** As {@link SamplerOptions#withFrequencyPenalty}. */
    public GenerationOptions withFrequencyPenalty(float frequencyPenalty) {
        return withSampling(sampling.withFrequencyPenalty(frequencyPenalty));
    }

    /** As {@link SamplerOptions#withSeed}. */
    public GenerationOptions withSeed(long seed) {
        return withSampling(sampling.withSeed(seed));
    }

    public GenerationOptions withStop(List<String> stop) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits, grammar);
    }

    public GenerationOptions withFirstLogits(boolean keep) {
        return new GenerationOptions(maxTokens, sampling, stop, keep, grammar);
    }

    /** Every token is chosen so that the text obeys {@code grammar}, such as one that {@link dev.obr.runtime.grammar.JsonSchema} makes; null lets any text through. */
    public GenerationOptions withGrammar(@Nullable Grammar grammar) {
        return new GenerationOptions(maxTokens, sampling, stop, keepFirstLogits, grammar);
    }
}
