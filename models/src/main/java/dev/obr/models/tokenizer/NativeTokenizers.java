package dev.obr.models.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.obr.kernels.ObrException;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * The native tokenizers library in DJL's jar, loaded once.
 *
 * <p>DJL's own loader looks for CUDA and can reach the network, so the file is extracted here instead, to {@code $XDG_CACHE_HOME/obr}, {@code ~/.cache/obr} or
 * {@code <tmp>/obr-<user>}, the first that can be written. Its name holds its checksum, it is written under another name and moved into place (two JVMs may start at once), and its
 * content is checked before every load.
 */
final class NativeTokenizers {
    private NativeTokenizers() {}

    /** The library's functions. */
    static TokenizersLibrary library() {
        if (!Holder.FAILURE.isEmpty()) {
            throw new ObrException(Holder.FAILURE);
        }
        return TokenizersLibrary.LIB;
    }

    private static final class Holder {
        /** Why the library can't be used; empty where it can. */
        private static final String FAILURE = load();
    }

    private static String load() {
        // The one place that keeps DJL off the network, set before any of its code runs: its metrics and downloads ask
        // this flag.
        if (System.getProperty("ai.djl.offline") == null) {
            System.setProperty("ai.djl.offline", "true");
        }
        String file = System.mapLibraryName("tokenizers");
        String resource = "/native/lib/" + platform() + "/cpu/" + file;
        URL packed = TokenizersLibrary.class.getResource(resource);
        if (packed == null) {
            return "tokenizer.json can't be read on " + platform()
                    + ": the tokenizers library has no build for it; use a GGUF" + " file of the model";
        }
        List<String> tried = new ArrayList<>();
        for (Path folder : folders()) {
            try {
                Path library = extract(packed, file, folder);
                System.load(library.toString());
                return "";
            } catch (IOException | UnsatisfiedLinkError e) {
                tried.add(folder + " (" + e + ")");
            }
        }
        return "The native tokenizers library can't be loaded; tried " + String.join(", ", tried)
                + "; make one of them writable or set XDG_CACHE_HOME to a folder that is";
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("windows") ? "win" : os.startsWith("mac") ? "osx" : "linux")
                + (arch.equals("amd64") || arch.equals("x86_64") ? "-x86_64" : "-" + arch);
    }

    private static List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        String cache = System.getenv("XDG_CACHE_HOME");
        if (cache != null && !cache.isEmpty()) {
            folders.add(Path.of(cache, "obr"));
        }
        folders.add(Path.of(System.getProperty("user.home"), ".cache", "obr"));
        folders.add(Path.of(System.getProperty("java.io.tmpdir"), "obr-" + System.getProperty("user.name")));
        return folders;
    }

    private static Path extract(URL packed, String file, Path folder) throws IOException {
        long checksum = packedChecksum(packed);
        Path library = folder.resolve("%08x-%s".formatted(checksum, file)).toAbsolutePath();
        if (Files.isRegularFile(library) && checksum(library) == checksum) {
            return library;
        }
        Files.createDirectories(folder);
        Path unfinished = Files.createTempFile(folder, file, ".part");
        try (InputStream content = packed.openStream()) {
            Files.copy(content, unfinished, StandardCopyOption.REPLACE_EXISTING);
            Files.move(unfinished, library, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
        if (checksum(library) != checksum) {
            throw new IOException(library + " is not what was written to it");
        }
        return library;
    }

    /** CRC-32 of the packed library; a jar lists it, so nothing is unpacked to learn it. */
    private static long packedChecksum(URL packed) throws IOException {
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
