package dev.obr.runtime;

import dev.obr.models.tokenizer.TextStream;
import dev.obr.runtime.grammar.TokenConstraint;
import dev.obr.runtime.sampling.Sampler;
import dev.obr.runtime.sampling.StopMatcher;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A text that grows behind its prompt: chooses each token from logits, and says what of the text can be shown and when it has ended. */
final class Continuation {
    private final LanguageModel model;
    private final GenerationOptions options;
    private final int contextLength;
    private final Sampler sampler;
    private final @Nullable TokenConstraint constraint;
    private final TextStream characters;
    private final StopMatcher stops;
    private final StringBuilder text = new StringBuilder();
    private final int promptLength;
    private int[] tokens; // the prompt, then the new tokens
    private int length;
    private @Nullable FinishReason finishReason;
    private @Nullable List<Float> firstLogits;

    /** @param characters decides whether a space at the start of the new text belongs to it */
    Continuation(
            LanguageModel model, int[] prompt, GenerationOptions options, TextStream characters, int contextLength) {
        this.model = model;
        this.options = options;
        this.contextLength = contextLength;
        this.sampler = new Sampler(options.sampling(), prompt.length);
        this.constraint = options.grammar() == null ? null : model.newConstraint(options.grammar());
        this.characters = characters;
        this.stops = new StopMatcher(options.stop());
        this.tokens = prompt.clone();
        this.promptLength = prompt.length;
        this.length = prompt.length;
    }

    /** The prompt and the new tokens so far. */
    int length() {
        return length;
    }

    int promptLength() {
        return promptLength;
    }

    int newTokens() {
        return length - promptLength;
    }

    int token(int index) {
        return tokens[index];
    }

    int[] tokens(int from, int to) {
        return Arrays.copyOfRange(tokens, from, to);
    }

    /** Why the text has ended, or null while it goes on. */
    @Nullable
    FinishReason finishReason() {
        return finishReason;
    }

    /** Computes a step and gives the token behind it, which is chosen where the logits lie unless they are needed here. */
    int next(ForwardPass pass, KvCache cache, int[] step) {
        boolean first = options.keepFirstLogits() && length == promptLength;
        if (constraint == null && !first) {
            return pass.next(cache, step, sampler, sampler.draw(tokens, length));
        }
        float[] logits = new float[model.config().vocabularySize()];
        pass.forward(cache, step, logits);
        return choose(logits);
    }

    /**
     * The next token; {@code logits} are changed by penalties and the grammar.
     *
     * @throws dev.obr.kernels.ObrException if the vocabulary cannot spell what the grammar demands
     */
    int choose(float[] logits) {
        if (options.keepFirstLogits() && length == promptLength) {
            firstLogits = boxed(logits);
        }
        return constraint == null
                ? sampler.next(logits, tokens, length)
                : constraint.next(sampler, logits, tokens, length);
    }

    /** Adds a chosen token, which may end the text. */
    GeneratedToken append(int id, @Nullable TokenLogprobs logprobs) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length + Math.max(16, length / 2));
        }
        tokens[length++] = id;
        return new GeneratedToken(id, show(id), logprobs);
    }

    private String show(int id) {
        String shown = stops.append(characters.append(id));
        boolean full = newTokens() == options.maxTokens() || length >= contextLength;
        boolean complete = constraint != null && constraint.isComplete();
        if (model.endsGeneration(id) || stops.stopped() || complete) {
            finishReason = FinishReason.STOP;
        } else if (full) {
            finishReason = FinishReason.LENGTH;
        }
        text.append(shown);
        return finishReason == null ? shown : shown + flush();
    }

    /** Ends a text that could have gone on. */
    void finish(FinishReason reason) {
        finishReason = reason;
        flush();
    }

    /** What was held back. */
    private String flush() {
        String rest = stops.append(characters.finish()) + stops.finish();
        text.append(rest);
        return rest;
    }

    /** The whole, once it has ended. */
    GenerationResult result(Timings timings) {
        return new GenerationResult(
                text.toString(),
                boxed(0, promptLength),
                boxed(promptLength, length),
                Objects.requireNonNull(finishReason),
                firstLogits,
                timings);
    }

    private List<Integer> boxed(int from, int to) {
        return Arrays.stream(tokens, from, to).boxed().toList();
    }

    private static List<Float> boxed(float[] values) {
        List<Float> list = new ArrayList<>(values.length);
        for (float value : values) {
            list.add(value);
        }
        return list;
    }
}
