package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Lets one pull at a time, of this process and others, fetch a blob. The system frees the lock of a process that ends, however it ends. */
final class BlobLock implements AutoCloseable {
    private static final Duration BETWEEN = Duration.ofMillis(200);

    private final FileChannel channel;

    private BlobLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits for the lock.
     *
     * @param waiting is run once where somebody else has it
     */
    static BlobLock take(Path file, Runnable waiting) throws IOException {
        Files.createDirectories(file.getParent());
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            boolean said = false;
            while (tryLock(channel) == null) {
                if (!said) {
                    waiting.run();
                    said = true;
                }
                Thread.sleep(BETWEEN);
            }
            return new BlobLock(channel);
        } catch (InterruptedException e) {
            channel.close();
            Thread.currentThread().interrupt();
            throw new ObrException("interrupted while waiting for another pull", e);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    /** The file stays: who deleted it could take it from under one who waits. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
