package dev.obr.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C and SIGTERM: the work under way is cancelled and its last output written before the JVM ends (exit code 130 or 143, as the JVM sets it).
 *
 * <p>A JVM that gets such a signal runs its shutdown hooks; the one here cancels and waits for the main thread to finish.
 */
final class Interruption {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile @Nullable Runnable cancel;
    private volatile Duration patience = PATIENCE;

    /** Arms this process. */
    void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::interrupt, "interruption"));
    }

    /** What cancels the work under way; null when there is nothing to wait for. */
    void onInterrupt(@Nullable Runnable cancel) {
        onInterrupt(cancel, Duration.ZERO);
    }

    /** The same for work that may go on for some time after it is told to end. */
    void onInterrupt(@Nullable Runnable cancel, Duration longer) {
        this.patience = PATIENCE.plus(longer);
        this.cancel = cancel;
    }

    /** The main thread has written all there is to write. */
    void finished() {
        finished.countDown();
    }

    private void interrupt() {
        Runnable work = cancel;
        if (work == null || finished.getCount() == 0) {
            return;
        }
        work.run();
        try {
            boolean inTime = finished.await(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (!inTime) {
                Runtime.getRuntime().halt(130);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
