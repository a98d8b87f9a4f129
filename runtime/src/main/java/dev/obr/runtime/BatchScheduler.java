package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.models.tokenizer.TextStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Generates many texts together: each step reads the weights once for all of them.
 *
 * <p>Requests join at token boundaries, and leave at them. A prompt is computed in chunks beside the running texts, so that none of these waits for longer than a chunk takes. What two
 * sequences begin with is computed once. When the memory for keys and values runs out, finished texts are forgotten first; then the sequence that came last makes room, and is computed
 * again later. Each text of a packed model is what it would be alone, to the last bit; one of weights that are floats is so up to rounding, which can turn a choice between two tokens that are
 * as likely.
 *
 * <pre>{@code
 * try (BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
 *     BatchedGeneration one = scheduler.submit(BatchRequest.of(prompt, options));
 *     BatchedGeneration other = scheduler.submit(BatchRequest.of(otherPrompt, options));
 *     one.forEachRemaining(token -> System.out.print(token.text()));
 * }
 * }</pre>
 *
 * <p>Safe to share between threads. One thread of its own computes; {@link #close} ends it. To be closed before the model.
 */
public final class BatchScheduler implements AutoCloseable {
    private final LanguageModel model;
    private final BatchOptions options;
    private final Batch batch;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Condition idle = lock.newCondition();
    private final WaitingLine waiting = new WaitingLine(); // under the lock, as what follows
    private boolean refusing;
    private boolean closed;
    private BatchStatus status;
    private final Thread thread;

    /** @throws ObrException if the memory for keys and values does not hold one sequence of the whole context */
    public BatchScheduler(LanguageModel model, BatchOptions options) {
        this.model = model;
        this.options = options;
        this.batch = new Batch(model, options);
        this.status = batch.status();
        this.thread = Thread.ofPlatform().daemon().name("obr-scheduler").unstarted(this::run);
        thread.start();
    }

    /**
     * Takes a request; nothing is computed before its turn.
     *
     * @throws BatchFullException if as many wait as may
     * @throws ObrException if the prompt is empty, or leaves no room in the context
     */
    public BatchedGeneration submit(BatchRequest request) {
        model.checkPrompt(request.prompt(), model.contextLength());
        BatchedGeneration reader = new BatchedGeneration(this::wake);
        TextStream characters = TextStream.continuing(model.tokenizer());
        Continuation text =
                new Continuation(model, request.prompt(), request.options(), characters, model.contextLength());
        lock.lock();
        try {
            if (refusing) {
                throw new IllegalStateException("the scheduler is closed");
            }
            if (waiting.size() >= options.waiting() + Math.max(0, options.running() - status.running())) {
                throw new BatchFullException(waiting.size());
            }
            waiting.add(new BatchSequence(request, text, reader));
            changed.signal();
        } finally {
            lock.unlock();
        }
        return reader;
    }

    /** What is going on. */
    public BatchStatus status() {
        lock.lock();
        try {
            return status.withWaiting(waiting.size());
        } finally {
            lock.unlock();
        }
    }

    /** Refuses requests from now on and waits so long for those that it has; false if some are left. */
    public boolean drain(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        lock.lock();
        try {
            refusing = true;
            while (waiting.size() + status.running() > 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0 || closed) {
                    return false;
                }
                idle.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Ends all texts as cancelled, and the thread. */
    @Override
    public void close() {
        lock.lock();
        try {
            refusing = true;
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void wake() {
        lock.lock();
        try {
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        RuntimeException failure = null;
        try {
            while (admit()) {
                note(batch.step());
            }
        } catch (Throwable e) {
            failure = new IllegalStateException("the scheduler has failed", e);
            throw e;
        } finally {
            end(failure);
        }
    }

    /** Lets those join whose turn it is, and waits while there is none; false when all is to end. */
    private boolean admit() {
        lock.lock();
        try {
            while (!closed) {
                waiting.removeIf(sequence -> sequence.reader.isCancelled()).forEach(BatchSequence::cancel);
                BatchSequence next = waiting.peek();
                while (next != null && batch.hasRoomFor(next)) {
                    waiting.remove();
                    batch.join(next);
                    next = waiting.peek();
                }
                status = batch.status();
                if (!batch.isEmpty()) {
                    return true;
                }
                idle.signalAll();
                changed.awaitUninterruptibly();
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Notes what a step has left. */
    private void note(List<BatchSequence> preempted) {
        lock.lock();
        try {
            preempted.reversed().forEach(waiting::addPreempted);
            status = batch.status();
        } finally {
            lock.unlock();
        }
    }

    /** The last that the thread does. */
    private void end(@Nullable RuntimeException failure) {
        List<BatchSequence> left = new ArrayList<>(batch.close());
        lock.lock();
        try {
            refusing = true;
            closed = true;
            left.addAll(waiting.removeIf(sequence -> true));
            status = batch.status();
            idle.signalAll();
        } finally {
            lock.unlock();
        }
        for (BatchSequence sequence : left) {
            if (failure == null) {
                sequence.cancel();
            } else {
                sequence.reader.fail(failure);
            }
        }
    }
}
