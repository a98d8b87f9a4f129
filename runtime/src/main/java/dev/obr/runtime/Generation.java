package dev.obr.runtime;

import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvCache;
import java.util.Iterator;
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
    private final Continuation continuation;
    private @Nullable GeneratedToken next;
    private volatile boolean cancelled;
    private int promptComputed;
    private long promptNanos;
    private long firstTokenNanos;
    private long generateNanos;

    Generation(Session session, Continuation continuation) {
        this.session = session;
        this.continuation = continuation;
    }

    /** Computes the next token, if there is one. */
    @Override
    public boolean hasNext() {
        if (next == null && continuation.finishReason() == null) {
            if (cancelled || !session.isRunning(this)) {
                continuation.finish(FinishReason.CANCELLED);
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
        return continuation.result(new Timings(
                promptComputed,
                promptNanos / 1e6,
                firstTokenNanos / 1e6,
                continuation.newTokens(),
                generateNanos / 1e6));
    }

    private void advance() {
        long start = System.nanoTime();
        boolean first = continuation.newTokens() == 0;
        int id;
        if (first) {
            int[] computed = new int[1];
            int[] prompt = continuation.tokens(0, continuation.promptLength());
            id = session.prefill(prompt, this::choose, () -> !cancelled, computed);
            if (id < 0) {
                continuation.finish(FinishReason.CANCELLED);
                return;
            }
            promptComputed = computed[0];
        } else {
            id = session.step(continuation.token(continuation.length() - 1), this::choose);
        }
        next = continuation.append(id, null);
        long nanos = System.nanoTime() - start;
        if (first) {
            promptNanos = nanos;
            firstTokenNanos = nanos;
        } else {
            generateNanos += nanos;
        }
    }

    /** Computes a step and chooses the token behind it. */
    private int choose(ForwardPass pass, KvCache cache, int[] step) {
        return continuation.next(pass, cache, step);
    }
}
