package dev.obr.kernels.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * A native library of another project, brought from the jar into a file that the system's loader can open.
 *
 * <p>It is written under another name and moved into place, so that a second JVM sees all of it or nothing, and its checksum is compared with the jar's before every load.
 */
public final class LibraryFile {
    private LibraryFile() {}

    /**
     * The file {@code name} in {@code folder} with the resource's content, written unless it is there.
     *
     * @throws IOException if it cannot be written or read, or other users may write to the folder
     */
    public static Path place(URL packed, Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        NativeLibrary.refuseIfOthersMayWrite(folder);
        long expected = checksum(packed);
        Path file = folder.resolve(name).toAbsolutePath();
        if (Files.isRegularFile(file) && checksum(file) == expected) {
            return file;
        }
        Path unfinished = Files.createTempFile(folder, name, ".part");
        try (InputStream content = packed.openStream()) {
            Files.copy(content, unfinished, StandardCopyOption.REPLACE_EXISTING);
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
        if (checksum(file) != expected) {
            throw new IOException(name + " does not read back as it was written");
        }
        return file;
    }

    /** CRC-32 of a resource; a jar lists it, so nothing is unpacked to learn it. */
    public static long checksum(URL packed) throws IOException {
        URLConnection connection = packed.openConnection();
        if (connection instanceof JarURLConnection jar && jar.getJarEntry().getCrc() >= 0) {
            return jar.getJarEntry().getCrc();
        }
        try (CheckedInputStream content = new CheckedInputStream(connection.getInputStream(), new CRC32())) {
            content.transferTo(OutputStream.nullOutputStream());
            return content.getChecksum().getValue();
        }
    }

    private static long checksum(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            CRC32 crc = new CRC32();
            crc.update(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
            return crc.getValue();
        }
    }
}
