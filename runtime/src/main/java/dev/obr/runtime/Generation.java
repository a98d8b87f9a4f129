package dev.obr.runtime;

import dev.obr.models.tokenizer.TextStream;
import dev.obr.runtime.grammar.TokenConstraint;
import dev.obr.runtime.sampling.Sampler;
import dev.obr.runtime.sampling.StopMatcher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A text while it is generated, token by token, on the thread that asks: who stops asking has stopped the work.
 *
 * <pre>{@code
 * for (GeneratedToken token : session.generate("Once upon a time", GenerationOptions.defaults())) {
 *     System.out.print(token.text());
 * }
 * }</pre>
 *
 * <p>One thread at a time; only {@link #cancel} may come from another. A generation ends when its session starts another.
 */
public final class Generation implements Iterator<GeneratedToken>, Iterable<GeneratedToken> {
    private final Session session;
    private final LanguageModel model;
    private final GenerationOptions options;
    private final Sampler sampler;
    private final @Nullable TokenConstraint constraint;
    private final TextStream characters;
    private final StopMatcher stops;
    private final float[] logits;
    private final StringBuilder text = new StringBuilder();
    private final int promptLength;
    private int[] tokens; // the prompt, then the new tokens
    private int length;
    private @Nullable GeneratedToken next;
    private @Nullable FinishReason finishReason;
    private @Nullable List<Float> firstLogits;
    private volatile boolean cancelled;
    private int promptComputed;
    private long promptNanos;
    private long firstTokenNanos;
    private long generateNanos;

    Generation(Session session, LanguageModel model, int[] prompt, GenerationOptions options, TextStream characters) {
        this.session = session;
        this.model = model;
        this.options = options;
        this.sampler = new Sampler(options.sampling());
        this.constraint = options.grammar() == null ? null : model.newConstraint(options.grammar());
        this.characters = characters;
        this.stops = new StopMatcher(options.stop());
        this.logits = new float[model.config().vocabularySize()];
        this.tokens = prompt;
        this.promptLength = prompt.length;
        this.length = prompt.length;
    }

    /** Computes the next token, if there is one. */
    @Override
    public boolean hasNext() {
        if (next == null && finishReason == null) {
            if (cancelled || !session.isRunning(this)) {
                finish(FinishReason.CANCELLED);
            } else {
                advance();
            }
        }
        return next != null;
    }

    @Override
    public GeneratedToken next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the generation has ended");
        }
        GeneratedToken token = Objects.requireNonNull(next);
        next = null;
        return token;
    }

    /** This generation itself, where it stands now: it can be gone through once. */
    @Override
    public Iterator<GeneratedToken> iterator() {
        return this;
    }

    /** Runs to the end, giving each piece of text to {@code onText}. */
    public GenerationResult run(Consumer<String> onText) {
        forEachRemaining(token -> onText.accept(token.text()));
        return result();
    }

    /** Ends the generation after the step that is being computed; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    /** Runs to the end if it has not ended, and gives the whole. */
    public GenerationResult result() {
        while (hasNext()) {
            next();
        }
        return new GenerationResult(
                text.toString(),
                boxed(0, promptLength),
                boxed(promptLength, length),
                Objects.requireNonNull(finishReason),
                firstLogits,
                new Timings(
                        promptComputed,
                        promptNanos / 1e6,
                        firstTokenNanos / 1e6,
                        length - promptLength,
                        generateNanos / 1e6));
    }

    private void advance() {
        long start = System.nanoTime();
        boolean first = length == promptLength;
        if (first) {
            int[] computed = new int[1];
            if (!session.prefill(tokens, logits, () -> !cancelled, computed)) {
                finish(FinishReason.CANCELLED);
                return;
            }
            promptComputed = computed[0];
            promptNanos = System.nanoTime() - start;
            if (options.keepFirstLogits()) {
                firstLogits = boxed(logits);
            }
        } else {
            session.step(tokens[length - 1], logits);
        }
        int id = constraint == null
                ? sampler.next(logits, tokens, length)
                : constraint.next(sampler, logits, tokens, length);
        append(id);
        next = new GeneratedToken(id, show(id));
        long nanos = System.nanoTime() - start;
        if (first) {
            firstTokenNanos = nanos;
        } else {
            generateNanos += nanos;
        }
    }

    /** The text that token {@code id} completes; sets the reason to finish, if there is one. */
    private String show(int id) {
        String shown = stops.append(characters.append(id));
        boolean full = length - promptLength == options.maxTokens() || length >= session.contextLength();
        boolean complete = constraint != null && constraint.isComplete();
        if (model.endsGeneration(id) || stops.stopped() || complete) {
            finishReason = FinishReason.STOP;
        } else if (full) {
            finishReason = FinishReason.LENGTH;
        }
        text.append(shown);
        return finishReason == null ? shown : shown + flush();
    }

    private void finish(FinishReason reason) {
        finishReason = reason;
        flush();
    }

    /** What was held back. */
    private String flush() {
        String rest = stops.append(characters.finish()) + stops.finish();
        text.append(rest);
        return rest;
    }

    private void append(int id) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length + Math.max(16, length / 2));
        }
        tokens[length++] = id;
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
