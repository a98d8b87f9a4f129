package dev.obr.models.packed;

import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.MappedFile;
import dev.obr.models.file.TensorBytes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Files that outlive a power cut, and folders that go as a whole. */
final class DurableFiles {
    private static final JsonMapper PRETTY =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private DurableFiles() {}

    /** Writes indented JSON, atomically. */
    static void writeJson(Path file, JsonNode json) {
        byte[] text = (PRETTY.writeValueAsString(json) + "\n").getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(
                file, out -> TensorBytes.of(MemorySegment.ofArray(text)).writeTo(out));
        sync(file);
    }

    /** Waits until a file, and its name in its folder, are on the disk. */
    static void sync(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        } catch (IOException failure) {
            throw cannotWrite(file, failure);
        }
        syncFolder(file.toAbsolutePath().getParent());
    }

    /** Waits until all files directly in a folder, and their names, are on the disk. */
    static void syncAll(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
            }
        } catch (IOException failure) {
            throw cannotWrite(folder, failure);
        }
        syncFolder(folder);
    }

    /** Not every system can open a folder; those that can't need no such call. */
    static void syncFolder(@Nullable Path folder) {
        if (folder == null || HostSettings.windows()) {
            return;
        }
        try (FileChannel channel = FileChannel.open(folder)) {
            channel.force(true);
        } catch (IOException failure) {
            throw cannotWrite(folder, failure);
        }
    }

    /** Deletes a folder with all that is in it; links are deleted, not followed. */
    static void deleteTree(Path folder) {
        List<Path> deepestFirst;
        try (Stream<Path> all = Files.walk(folder)) {
            deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
        } catch (NoSuchFileException gone) {
            return;
        } catch (IOException failure) {
            throw new ObrException(MappedFile.cannotRead(folder, failure), failure);
        }
        for (Path path : deepestFirst) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException failure) {
                throw new ObrException(path + " cannot be deleted: " + failure.getMessage() + "; delete it", failure);
            }
        }
    }

    static ObrException cannotWrite(Path path, IOException failure) {
        String reason = failure instanceof FileSystemException system
                ? system.getReason() == null ? failure.getClass().getSimpleName() : system.getReason()
                : String.valueOf(failure.getMessage());
        return new ObrException(
                "cannot write " + path + " (" + reason + "); free some space or choose another folder", failure);
    }
}
