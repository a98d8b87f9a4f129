package dev.obr.runtime.sampling;

import dev.obr.kernels.ObrException;

/**
 * How the next token is chosen.
 *
 * @param temperature divides the logits; 0 takes the likeliest token, whatever else is set
 * @param topK keeps the k likeliest tokens; 0 keeps all
 * @param topP keeps the fewest likeliest tokens whose probabilities add up to this; 1 keeps all
 * @param minP drops tokens less likely than this share of the likeliest; 0 keeps all
 * @param repeatPenalty divides positive logits (multiplies negative ones) of tokens that occurred; 1 does nothing
 * @param repeatLastN how many tokens back count as occurred for it; 0 none, -1 all
 * @param presencePenalty is taken from the logits of tokens that the new text has; 0 does nothing, below 0 they become likelier
 * @param frequencyPenalty is taken once for each time that the new text has a token
 * @param seed of the random numbers; equal seeds give equal texts
 */
public record SamplerOptions(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repeatPenalty,
        int repeatLastN,
        float presencePenalty,
        float frequencyPenalty,
        long seed) {
    public SamplerOptions {
        check(temperature >= 0 && temperature < Float.POSITIVE_INFINITY, "temperature", temperature, "0 or more");
        check(topK >= 0, "top-k", topK, "0 (off) or more");
        check(topP > 0 && topP <= 1, "top-p", topP, "above 0 and at most 1 (off)");
        check(minP >= 0 && minP < 1, "min-p", minP, "0 (off) or more and below 1");
        check(
                repeatPenalty > 0 && repeatPenalty < Float.POSITIVE_INFINITY,
                "repeat-penalty",
                repeatPenalty,
                "above 0; 1 is off");
        check(repeatLastN >= -1, "repeat-last-n", repeatLastN, "-1 (all), 0 (off) or more");
        check(Float.isFinite(presencePenalty), "presence-penalty", presencePenalty, "a finite number; 0 is off");
        check(Float.isFinite(frequencyPenalty), "frequency-penalty", frequencyPenalty, "a finite number; 0 is off");
    }

    /** Without penalties for what the new text has. */
    public SamplerOptions(
            float temperature, int topK, float topP, float minP, float repeatPenalty, int repeatLastN, long seed) {
        this(temperature, topK, topP, minP, repeatPenalty, repeatLastN, 0, 0, seed);
    }

    /** Temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, no penalty (over 64 tokens if one is set), seed 0. */
    public static SamplerOptions defaults() {
        return new SamplerOptions(0.8f, 40, 0.95f, 0.05f, 1, 64, 0);
    }

    /** Whether the largest logit decides, whatever came before. */
    public boolean greedy() {
        return temperature == 0 && (repeatPenalty == 1 || repeatLastN == 0) && !countsNewTokens();
    }

    /** Whether it matters how often the new text has a token. */
    public boolean countsNewTokens() {
        return presencePenalty != 0 || frequencyPenalty != 0;
    }

    public SamplerOptions withTemperature(float temperature) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withTopK(int topK) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withTopP(float topP) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withMinP(float minP) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withRepeatPenalty(float repeatPenalty) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withRepeatLastN(int repeatLastN) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withPresencePenalty(float presencePenalty) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withFrequencyPenalty(float frequencyPenalty) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    public SamplerOptions withSeed(long seed) {
        return new SamplerOptions(
                temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty, seed);
    }

    private static void check(boolean holds, String option, Number value, String range) {
        if (!holds) {
            throw new ObrException("The option " + option + " is " + value + ", but must be " + range + ".");
        }
    }
}
