package dev.obr.kernels.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed team of threads that computes the parts of one task at a time; the calling thread works too.
 *
 * <p>A decode step hands out a hundred tasks of some 100 µs each, so a worker that runs dry first spins for a moment (a barrier then costs about a microsecond) and only then
 * parks: a team whose cores are shared with others stays out of their way.
 *
 * <p>One task runs at a time: {@link #run} is synchronised. Workers are daemons and end with {@link #close}.
 */
public final class ThreadTeam implements AutoCloseable {
    /** One part of a task; parts of one task run concurrently, in no order. */
    @FunctionalInterface
    public interface Part {
        void run(int part);
    }

    private static final int SPINS_BEFORE_PARK = 20_000;

    private record Task(
            Part body,
            int parts,
            AtomicInteger next,
            AtomicInteger done,
            AtomicReference<@Nullable Throwable> failure) {}

    private final Thread[] workers;
    private volatile @Nullable Task task;
    private volatile boolean closed;

    /** Starts {@code threads - 1} workers. */
    public ThreadTeam(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team needs at least 1 thread, not " + threads);
        }
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] =
                    Thread.ofPlatform().daemon().name("obr-worker-" + (i + 1)).unstarted(this::work);
        }
        for (Thread worker : workers) {
            worker.start();
        }
    }

    /** Threads at work, the caller included. */
    public int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code body} for part 0 .. parts-1 and returns when all are done.
     *
     * @throws RuntimeException the first failure of a part, after all parts ended
     */
    public synchronized void run(int parts, Part body) {
        if (closed) {
            throw new IllegalStateException("the thread team is closed");
        }
        if (parts == 1 || workers.length == 0) {
            for (int p = 0; p < parts; p++) {
                body.run(p);
            }
            return;
        }
        Task mine = new Task(body, parts, new AtomicInteger(), new AtomicInteger(), new AtomicReference<>());
        task = mine;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
        takeParts(mine);
        while (mine.done.get() < parts) {
            Thread.onSpinWait();
        }
        task = null;
        Throwable failure = mine.failure.get();
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /** Splits {@code n} items into one contiguous range per part, each a multiple of {@code grain} but the last: the start of {@code part}. */
    public static int split(int n, int grain, int parts, int part) {
        int grains = (n + grain - 1) / grain;
        return (int) Math.min(n, (long) grains * part / parts * grain);
    }

    private void work() {
        Task last = null;
        int idle = 0;
        while (!closed) {
            Task current = task;
            if (current == null || current == last) {
                if (++idle > SPINS_BEFORE_PARK) {
                    LockSupport.park(this);
                } else {
                    Thread.onSpinWait();
                }
                continue;
            }
            idle = 0;
            takeParts(current);
            last = current;
        }
    }

    private static void takeParts(Task task) {
        for (int part = task.next.getAndIncrement(); part < task.parts; part = task.next.getAndIncrement()) {
            try {
                task.body.run(part);
            } catch (Throwable failure) {
                task.failure.compareAndSet(null, failure);
            } finally {
                task.done.incrementAndGet();
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
        for (Thread worker : workers) {
            boolean interrupted = false;
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
