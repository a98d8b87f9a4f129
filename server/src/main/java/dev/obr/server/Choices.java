package dev.obr.server;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchFullException;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.BatchedGeneration;
import dev.obr.runtime.FinishReason;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.GenerationResult;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The texts of one request: asked for together, read together, and cancelled together when its client leaves. */
final class Choices implements AutoCloseable {
    /** Takes the texts as they come; called by one thread at a time. */
    interface Reader {
        void token(int choice, GeneratedToken token) throws IOException;

        void end(int choice, GenerationResult result) throws IOException;

        /** Nothing has come for a while: a chance to see whether the client is still there. */
        void idle() throws IOException;
    }

    private static final Duration IDLE = Duration.ofSeconds(1);

    private final List<BatchedGeneration> texts = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Duration timeout;
    private final long begun = System.nanoTime();

    private Choices(Duration timeout) {
        this.timeout = timeout;
    }

    /**
     * Asks for texts, all of them or none.
     *
     * @param parameter that holds the prompts, for errors
     */
    static Choices submit(Service service, List<BatchRequest> requests, String parameter) {
        Choices choices = new Choices(service.timeout());
        try {
            BatchScheduler scheduler = service.scheduler();
            requests.forEach(request -> choices.texts.add(scheduler.submit(request)));
            return choices;
        } catch (BatchFullException e) {
            choices.close();
            throw ApiException.unavailable(429, "rate_limit_exceeded", String.valueOf(e.getMessage()));
        } catch (ObrException e) {
            choices.close();
            boolean tooLong = String.valueOf(e.getMessage()).contains("context");
            throw ApiException.wrong(
                    parameter, String.valueOf(e.getMessage()), tooLong ? "context_length_exceeded" : "invalid_value");
        } catch (IllegalStateException e) {
            choices.close();
            throw ApiException.unavailable(503, "unavailable_error", "The server is ending: ask another.");
        }
    }

    int count() {
        return texts.size();
    }

    BatchedGeneration text(int choice) {
        return texts.get(choice);
    }

    /**
     * Gives all that comes to {@code reader}, to the end of all texts.
     *
     * @throws IOException if the client has left
     * @throws ApiException if the time is over, the server ends or the model fails
     */
    void read(Reader reader) throws IOException {
        if (texts.size() == 1) {
            read(0, reader);
            return;
        }
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            int choice = i;
            threads.add(Thread.ofVirtual().start(() -> readGuarded(choice, reader)));
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        switch (failure.get()) {
            case null -> {}
            case IOException left -> throw left;
            case RuntimeException failed -> throw failed;
            case Throwable other -> throw new IllegalStateException(other);
        }
    }

    private void readGuarded(int choice, Reader reader) {
        try {
            read(choice, reader);
        } catch (Throwable e) {
            failure.compareAndSet(null, e); // what follows from it is not worth telling
            close();
        }
    }

    private void read(int choice, Reader reader) throws IOException {
        BatchedGeneration text = texts.get(choice);
        while (await(text, reader)) {
            GeneratedToken token = text.next();
            locked(() -> reader.token(choice, token));
        }
        GenerationResult result = text.result();
        if (result.finishReason() == FinishReason.CANCELLED) {
            throw timedOut()
                    ? ApiException.unavailable(
                            504,
                            "timeout",
                            "The answer took longer than " + timeout.toSeconds() + " seconds: ask for fewer tokens.")
                    : ApiException.unavailable(503, "unavailable_error", "The server is ending: ask another.");
        }
        locked(() -> reader.end(choice, result));
    }

    /** Waits for the next token; false at the end. */
    private boolean await(BatchedGeneration text, Reader reader) throws IOException {
        try {
            while (!text.await(IDLE)) {
                locked(reader::idle);
                if (timedOut()) {
                    close();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (timedOut()) {
            close();
        }
        return text.hasNext();
    }

    private boolean timedOut() {
        return System.nanoTime() - begun > timeout.toNanos();
    }

    private interface Writing {
        void run() throws IOException;
    }

    private void locked(Writing writing) throws IOException {
        lock.lock();
        try {
            writing.run();
        } finally {
            lock.unlock();
        }
    }

    /** Ends texts that have not ended, within a token's time. */
    @Override
    public void close() {
        texts.forEach(BatchedGeneration::cancel);
    }
}
