package dev.obr.models.file;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Maps whole files into memory, read-only and of any size: pages are read when first touched, and shared by all processes that map the file. */
public final class MappedFile {
    private MappedFile() {}

    /** The bytes of {@code file}, valid until {@code arena} closes. */
    public static MemorySegment map(Path file, Arena arena) {
        if (Files.isDirectory(file)) {
            throw new ObrException(file + " is a folder, but a file is expected there");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (NoSuchFileException missing) {
            throw new ObrException(file + " does not exist; check the path", missing);
        } catch (IOException failure) {
            throw new ObrException(cannotRead(file, failure), failure);
        }
    }

    /** The sentence for a file that the operating system refuses to read. */
    public static String cannotRead(Path file, IOException failure) {
        return failure instanceof AccessDeniedException
                ? file + " cannot be read: permission denied; change its permissions"
                : file + " cannot be read: " + failure.getMessage();
    }
}
