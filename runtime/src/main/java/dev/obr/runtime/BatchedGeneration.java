package dev.obr.runtime;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A text while a {@link BatchScheduler} generates it: tokens wait here until they are asked for, so a slow reader holds nobody up.
 *
 * <p>Read by one thread at a time; {@link #cancel} may come from any.
 */
public final class BatchedGeneration implements Iterator<GeneratedToken>, Iterable<GeneratedToken> {
    /** What comes from the scheduler: tokens, then the end. */
    private sealed interface Event {
        record Token(GeneratedToken token) implements Event {}

        record End(GenerationResult result) implements Event {}

        record Failure(RuntimeException cause) implements Event {}
    }

    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final List<TokenLogprobs> promptLogprobs = new ArrayList<>();
    private final Runnable onCancel;
    private volatile boolean cancelled;
    private @Nullable GeneratedToken next;
    private @Nullable GenerationResult result;
    private @Nullable RuntimeException failure;

    /** @param onCancel wakes the scheduler */
    BatchedGeneration(Runnable onCancel) {
        this.onCancel = onCancel;
    }

    /**
     * Waits for the next token, if there is one.
     *
     * @throws RuntimeException what ended the text if the model could not go on
     */
    @Override
    public boolean hasNext() {
        while (next == null && result == null) {
            try {
                take(events.take());
            } catch (InterruptedException e) {
                cancel();
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while a text was generated", e);
            }
        }
        return next != null;
    }

    /** Waits so long for the next token or the end; false if neither has come. */
    public boolean await(Duration patience) throws InterruptedException {
        if (next == null && result == null) {
            Event event = events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (event == null) {
                return false;
            }
            take(event);
        }
        return true;
    }

    private void take(Event event) {
        switch (event) {
            case Event.Token token -> next = token.token();
            case Event.End end -> result = end.result();
            case Event.Failure failed -> failure = failed.cause();
        }
        if (failure != null) {
            events.add(new Event.Failure(failure)); // for whoever asks again
            throw failure;
        }
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

    /** Waits for the end. */
    public GenerationResult result() {
        while (hasNext()) {
            next();
        }
        return Objects.requireNonNull(result);
    }

    /** How likely each token of the prompt but the first was, if asked for; complete when the first new token has come. */
    public List<TokenLogprobs> promptLogprobs() {
        synchronized (promptLogprobs) {
            return List.copyOf(promptLogprobs);
        }
    }

    /** Ends the text after the step that is being computed; from any thread. */
    public void cancel() {
        cancelled = true;
        onCancel.run();
    }

    boolean isCancelled() {
        return cancelled;
    }

    void add(TokenLogprobs ofPrompt) {
        synchronized (promptLogprobs) {
            promptLogprobs.add(ofPrompt);
        }
    }

    void add(GeneratedToken token) {
        events.add(new Event.Token(token));
    }

    void end(GenerationResult end) {
        events.add(new Event.End(end));
    }

    void fail(RuntimeException cause) {
        events.add(new Event.Failure(cause));
    }
}
