package dev.obr.compressor.pipeline;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Activations of all calibration windows between two steps of the model: float32 [samples, tokens, width], in memory, or in a file that the system pages in and out.
 *
 * <p>The file has no name any more as soon as it is mapped, so that nothing is left behind however the process ends.
 */
final class HiddenStates implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final int tokens;
    private final int width;

    /**
     * @param budget bytes that may lie in memory
     * @param folder for the file, if there must be one
     */
    HiddenStates(int samples, int tokens, int width, long budget, Path folder) {
        this.tokens = tokens;
        this.width = width;
        long bytes = 4L * samples * tokens * width;
        this.memory = bytes <= budget ? arena.allocate(bytes, 64) : mapped(folder, bytes);
    }

    private MemorySegment mapped(Path folder, long bytes) {
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free < bytes) {
                throw new ObrException("The activations of the calibration text take " + (bytes >> 20) + " MiB, but "
                        + folder + " has " + (free >> 20)
                        + " MiB left; give more --memory, fewer --samples or another disk.");
            }
            Path file = Files.createTempFile(folder, "obr-states-", ".tmp");
            try (FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
                return channel.map(MapMode.READ_WRITE, 0, bytes, arena);
            } finally {
                Files.delete(file);
            }
        } catch (IOException failure) {
            throw new ObrException(
                    "The activations of the calibration text cannot be kept in " + folder + ": " + failure.getMessage()
                            + "; give more --memory.",
                    failure);
        }
    }

    /** Rows {@code from .. from + count} of a sample: [count, width]. */
    MemorySegment rows(int sample, int from, int count) {
        long at = ((long) sample * tokens + from) * width;
        return memory.asSlice(4 * at, 4L * count * width);
    }

    @Override
    public void close() {
        arena.close();
    }
}
