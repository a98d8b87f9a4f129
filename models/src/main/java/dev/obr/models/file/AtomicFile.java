package dev.obr.models.file;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/** Writes a file that appears only when it is complete: under a temporary name beside its place, then moved. */
public final class AtomicFile {
    /** Writes the content from front to back. */
    @FunctionalInterface
    public interface Content {
        void writeTo(FileChannel out) throws IOException;
    }

    private AtomicFile() {}

    /**
     * Writes {@code file}, replacing what is there; the folder must exist.
     *
     * @throws ObrException where the disk is full or the folder can't be written to; nothing half-written is left
     */
    public static void write(Path file, Content content) {
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new ObrException("cannot write " + file + ": there is no folder " + folder + "; create it first");
        }
        try {
            String suffix = Long.toHexString(ThreadLocalRandom.current().nextLong());
            Path temporary = folder.resolve(target.getFileName() + "." + suffix + ".part");
            try {
                try (FileChannel out =
                        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                    content.writeTo(out);
                }
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary); // gone already when all went well
            }
        } catch (AccessDeniedException denied) {
            throw new ObrException("cannot write " + file + ": permission denied; choose another folder", denied);
        } catch (IOException failure) {
            throw new ObrException(
                    "cannot write " + file + ": " + failure.getMessage() + "; free some space or choose another folder",
                    failure);
        }
    }
}
