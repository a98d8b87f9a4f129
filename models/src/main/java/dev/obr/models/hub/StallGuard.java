package dev.obr.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Closes connections that have gone silent: a read of a body has no time limit of its own. */
final class StallGuard implements AutoCloseable {
    private final Duration silence;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().daemon().name("pull-clock").unstarted(task));

    StallGuard(Duration silence) {
        this.silence = silence;
    }

    /** A body that fails where nothing has arrived for so long. */
    InputStream guarded(InputStream body) {
        return new Guarded(body);
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }

    private final class Guarded extends InputStream {
        private final InputStream body;
        private final ScheduledFuture<?> check;
        private volatile long lastNanos = System.nanoTime();
        private volatile boolean silent;

        Guarded(InputStream body) {
            this.body = body;
            long every = Math.max(1, silence.toMillis() / 4);
            this.check = clock.scheduleWithFixedDelay(this::check, every, every, TimeUnit.MILLISECONDS);
        }

        private void check() {
            if (System.nanoTime() - lastNanos > silence.toNanos()) {
                silent = true;
                try {
                    body.close();
                } catch (IOException e) {
                    check.cancel(false); // the reader hears of it, too
                }
            }
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            lastNanos = System.nanoTime(); // what the reader did meanwhile is not the server's silence
            try {
                int count = body.read(bytes, offset, length);
                if (count < 0 && silent) {
                    throw new IOException("closed");
                }
                return count;
            } catch (IOException e) {
                throw silent ? new IOException("nothing arrived for " + silence.toMillis() / 1000.0 + " s", e) : e;
            }
        }

        @Override
        public void close() throws IOException {
            check.cancel(false);
            body.close();
        }
    }
}
