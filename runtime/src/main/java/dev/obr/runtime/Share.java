package dev.obr.runtime;

import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.SequenceStep;
import java.util.Objects;

/**
 * What a step computes of one sequence.
 *
 * @param tokens of those that its cache lacks
 */
record Share(BatchSequence sequence, int tokens) {
    /** Whether the next token follows. */
    boolean ends() {
        return tokens == sequence.pending();
    }

    /** Whether the probabilities of the prompt's tokens are wanted of it. */
    boolean explainsPrompt() {
        return sequence.request.promptLogprobs() && sequence.held() < sequence.text.promptLength();
    }

    /** Rows of logits that it needs. */
    int rows() {
        return explainsPrompt() ? tokens : ends() ? 1 : 0;
    }

    int promptTokens() {
        return Math.clamp(sequence.text.promptLength() - sequence.held(), 0, tokens);
    }

    long missingBytes() {
        return cache().missingBytes(tokens);
    }

    SequenceStep step(float[][] logits) {
        int held = sequence.held();
        return new SequenceStep(cache(), sequence.text.tokens(held, held + tokens), logits);
    }

    private KvCache cache() {
        return Objects.requireNonNull(sequence.cache());
    }
}
