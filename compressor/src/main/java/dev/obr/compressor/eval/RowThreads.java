package dev.obr.compressor.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/** Scores the rows of a block of logits in parallel. */
final class RowThreads implements AutoCloseable {
    private final int count;
    private final ExecutorService pool;

    /** @param count 0 takes one per processor */
    RowThreads(int count) {
        this.count = count > 0 ? count : Runtime.getRuntime().availableProcessors();
        this.pool = Executors.newFixedThreadPool(
                this.count, Thread.ofPlatform().name("score-", 1).daemon().factory());
    }

    /** Calls {@code body} once for each row and returns when all are done; what one throws is thrown here. */
    void forEachRow(int rows, IntConsumer body) {
        List<Future<?>> parts = new ArrayList<>();
        for (int part = 0; part < Math.min(count, rows); part++) {
            int first = part;
            parts.add(pool.submit(() -> {
                for (int row = first; row < rows; row += count) {
                    body.accept(row);
                }
            }));
        }
        for (Future<?> part : parts) {
            await(part);
        }
    }

    private static void await(Future<?> part) {
        try {
            part.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while scoring", e);
        }
    }

    @Override
    public void close() {
        pool.shutdownNow();
    }
}
