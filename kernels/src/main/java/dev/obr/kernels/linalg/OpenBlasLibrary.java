package dev.obr.kernels.linalg;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * Brings OpenBLAS and the Fortran runtime it needs from the jar into files that the system's loader can open: {@code <cache>/openblas-<checksum>/libopenblas.so.0} and its neighbours, in the
 * first of {@link NativeLibrary#cacheFolders} that works. Each file is written under another name and moved into place, and its checksum is compared with the jar's before every load.
 */
final class OpenBlasLibrary {
    private static final String FOLDER = "/org/bytedeco/openblas/linux-x86_64/";

    /** In the order in which they need each other; the loader finds those that are loaded already by name. */
    private static final List<String> FILES =
            List.of("libquadmath.so.0", "libgcc_s.so.1", "libgfortran.so.5", "libopenblas.so.0");

    private OpenBlasLibrary() {}

    /**
     * The library, opened for the life of the process.
     *
     * @throws ObrException if there is none for this platform, or no folder works: the sentence names each folder and its reason
     */
    static SymbolLookup open(List<Path> folders) {
        if (!NativeLibrary.platform().equals("linux-x86_64")) {
            throw new ObrException("there is no OpenBLAS for " + NativeLibrary.platform() + " in this build");
        }
        List<String> refusals = new ArrayList<>();
        for (Path folder : folders) {
            try {
                return open(folder);
            } catch (IOException | UnsupportedOperationException | SecurityException | IllegalArgumentException e) {
                refusals.add(folder + " (" + e + ")");
            }
        }
        throw new ObrException("OpenBLAS cannot be loaded from any folder: tried " + String.join(", ", refusals)
                + "; set OBR_CACHE to a folder that can be written to and run from");
    }

    private static SymbolLookup open(Path cache) throws IOException {
        Files.createDirectories(cache);
        NativeLibrary.refuseIfOthersMayWrite(cache);
        Path folder = cache.resolve("openblas-%08x".formatted(checksum(packed(FILES.getLast()))));
        Files.createDirectories(folder);
        NativeLibrary.refuseIfOthersMayWrite(folder);
        SymbolLookup library = SymbolLookup.loaderLookup();
        for (String file : FILES) {
            library = SymbolLookup.libraryLookup(place(file, folder), Arena.global());
        }
        return library;
    }

    private static Path place(String name, Path folder) throws IOException {
        URL packed = packed(name);
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

    private static URL packed(String name) throws IOException {
        URL resource = OpenBlasLibrary.class.getResource(FOLDER + name);
        if (resource == null) {
            throw new IOException("no resource " + FOLDER.substring(1) + name + " in this build");
        }
        return resource;
    }

    /** CRC-32 of a resource; a jar lists it, so nothing is unpacked to learn it. */
    private static long checksum(URL packed) throws IOException {
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
