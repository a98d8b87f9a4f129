package dev.obr.kernels.cpu;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A fixed team of threads that computes the parts of one task at a time; the calling thread works too.
 *
 * <p>A decode step hands out a hundred tasks of some 100 µs each. A thread that has nothing to do therefore waits in three steps: it spins for a while (a barrier then costs about a
 * microsecond), offers its core to others for a moment, and parks. A team whose cores are shared with other programs stays out of their way, and an idle one costs nothing.
 *
 * <p>One task runs at a time; a second caller waits for the first. A part that calls {@link #run} on its own team gets its parts computed by itself, one after the other. Callers may be
 * virtual threads. Workers are daemons and end with {@link #close}.
 */
public final class ThreadTeam implements AutoCloseable {
    /** One part of a task; parts of one task run concurrently, in no order. */
    @FunctionalInterface
    public interface Part {
        void run(int part);
    }

    /** Some 0.4 ms: the last part of a decode task may take as long, and waking a parked thread would cost a tenth of the task. */
    private static final int SPINS_BEFORE_YIELD = 20_000;

    private static final int YIELDS_BEFORE_PARK = 1_000;

    private final ReentrantLock running = new ReentrantLock();
    private final ThreadPlacement placement;
    private final Worker[] workers;
    private volatile @Nullable Task task;
    private volatile boolean closed;

    /** Starts {@code threads - 1} workers, which run wherever the system puts them. */
    public ThreadTeam(int threads) {
        this(threads, ThreadPlacement.FREE);
    }

    /** Starts {@code threads - 1} workers in their places. Threads that call {@link #run} stay where they are: they are not the team's. */
    public ThreadTeam(int threads, ThreadPlacement placement) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team needs at least 1 thread, not " + threads);
        }
        this.placement = placement;
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
        }
        for (Worker worker : workers) {
            worker.thread.start();
        }
    }

    /** Whether all threads may read and write what {@code memory} is: not where it belongs to one thread. */
    public boolean canAccess(MemorySegment memory) {
        return workers.length == 0 || memory.isAccessibleBy(workers[0].thread);
    }

    /** Threads at work, the caller included. */
    public int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code body} for part 0 .. parts-1 and returns when all are done.
     *
     * @throws RuntimeException the first failure of a part (or an {@link Error}), after all parts ended
     */
    public void run(int parts, Part body) {
        if (closed) {
            throw new IllegalStateException("the thread team is closed");
        }
        if (parts <= 1 || workers.length == 0 || isInsidePart()) {
            for (int p = 0; p < parts; p++) {
                body.run(p);
            }
            return;
        }
        running.lock();
        try {
            Task mine = new Task(body, parts, Thread.currentThread());
            task = mine;
            for (Worker worker : workers) {
                worker.wake();
            }
            mine.takeParts();
            Wait wait = new Wait();
            while (!mine.isDone()) {
                wait.once();
            }
            task = null;
            mine.rethrowFailure();
        } finally {
            running.unlock();
        }
    }

    private boolean isInsidePart() {
        if (running.isHeldByCurrentThread()) {
            return true;
        }
        Thread current = Thread.currentThread();
        for (Worker worker : workers) {
            if (worker.thread == current) {
                return true;
            }
        }
        return false;
    }

    /** Splits {@code n} items into one contiguous range per part, each a multiple of {@code grain} but the last: the start of {@code part}. */
    public static int split(int n, int grain, int parts, int part) {
        int grains = (n + grain - 1) / grain;
        return (int) Math.min(n, (long) grains * part / parts * grain);
    }

    /** Ends the workers once the task at hand is done; a second call does nothing. Not to be called from a part. */
    @Override
    public void close() {
        running.lock();
        try {
            closed = true;
        } finally {
            running.unlock();
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
            while (worker.thread.isAlive()) {
                try {
                    worker.thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Parts are taken one by one by whoever is free; the last one to end wakes the caller. */
    private static final class Task {
        private final Part body;
        private final int parts;
        private final Thread caller;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger ended = new AtomicInteger();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        Task(Part body, int parts, Thread caller) {
            this.body = body;
            this.parts = parts;
            this.caller = caller;
        }

        void takeParts() {
            for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
                try {
                    body.run(part);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                } finally {
                    if (ended.incrementAndGet() == parts && Thread.currentThread() != caller) {
                        LockSupport.unpark(caller);
                    }
                }
            }
        }

        boolean isDone() {
            return ended.get() == parts;
        }

        void rethrowFailure() {
            Throwable first = failure.get();
            if (first instanceof Error error) {
                throw error;
            }
            if (first instanceof RuntimeException exception) {
                throw exception;
            }
            if (first != null) {
                throw new IllegalStateException(first);
            }
        }
    }

    /** One thread's patience: spin, then yield, then park until woken. */
    private static final class Wait {
        private int times;

        void once() {
            times++;
            if (times < SPINS_BEFORE_YIELD) {
                Thread.onSpinWait();
            } else if (times < SPINS_BEFORE_YIELD + YIELDS_BEFORE_PARK) {
                Thread.yield();
            } else {
                LockSupport.park();
            }
        }

        boolean parksNext() {
            return times + 1 >= SPINS_BEFORE_YIELD + YIELDS_BEFORE_PARK;
        }
    }

    private final class Worker implements Runnable {
        private final int number;
        private final Thread thread;
        private volatile boolean parked;

        Worker(int number) {
            this.number = number;
            thread = Thread.ofPlatform().daemon().name("obr-worker-" + number).unstarted(this);
        }

        /** Costs a read unless the thread is parked. Called after {@code task} was set, which the worker looks at again after it has set {@code parked}. */
        void wake() {
            if (parked) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void run() {
            placement.place(number);
            Task last = null;
            Wait wait = new Wait();
            while (!closed) {
                Task current = task;
                if (current != null && current != last) {
                    current.takeParts();
                    last = current;
                    wait = new Wait();
                } else if (wait.parksNext()) {
                    parked = true;
                    if (task == current && !closed) {
                        wait.once();
                    }
                    parked = false;
                } else {
                    wait.once();
                }
            }
        }
    }
}
