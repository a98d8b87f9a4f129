package dev.obr.runtime;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A finished generation.
 *
 * @param text the new text, without control tokens and without the stop string
 * @param promptTokenIds the prompt as the model saw it
 * @param tokenIds the new tokens, an end-of-sequence token included
 * @param firstLogits the logits that the first new token was chosen from, by token id, if asked for
 */
public record GenerationResult(
        String text,
        List<Integer> promptTokenIds,
        List<Integer> tokenIds,
        FinishReason finishReason,
        @Nullable List<Float> firstLogits,
        Timings timings) {
    public GenerationResult {
        promptTokenIds = List.copyOf(promptTokenIds);
        tokenIds = List.copyOf(tokenIds);
        firstLogits = firstLogits == null ? null : List.copyOf(firstLogits);
    }
}
