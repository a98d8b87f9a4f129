package dev.obr.runtime;

import dev.obr.kernels.ObrException;

/**
 * A text asked of a {@link BatchScheduler}.
 *
 * @param prompt token ids
 * @param options how the text goes on
 * @param client who asks: clients take turns, whatever each has waiting
 * @param logprobs how many of the likeliest tokens are named with each token; 0 for the token's own probability, -1 for none of it
 * @param promptLogprobs whether the prompt's tokens get theirs too, which makes all of it be computed
 */
public record BatchRequest(
        int[] prompt, GenerationOptions options, String client, int logprobs, boolean promptLogprobs) {
    public BatchRequest {
        prompt = prompt.clone();
        if (logprobs < -1 || logprobs > 1000) {
            throw new ObrException("The option logprobs is " + logprobs + ", but must be 0 to 1000, or -1 for none.");
        }
    }

    /** Without probabilities, of a client without a name. */
    public static BatchRequest of(int[] prompt, GenerationOptions options) {
        return new BatchRequest(prompt, options, "", -1, false);
    }
}
