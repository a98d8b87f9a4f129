package dev.obr.kernels.cpu;

import com.sun.security.auth.module.UnixSystem;
import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Brings the compiled kernels from the jar into a file that the system's loader can open.
 *
 * <p>The resource {@code native/<os>-<arch>/libobrkernels.so} is written once per content to {@code <cache>/obrkernels-<sha256>.so}: under a temporary name first, then moved into
 * place, so that a second JVM sees all of the file or none. A file that is there already is used if it equals the jar's to the byte (which says more than a hash, and starts faster) and replaced if not. The cache folder is the first that works of
 * {@link #cacheFolders}; folders that other users may write to are refused, for whoever writes there could run code here. Where none works, a {@link MemoryFile} serves.
 */
public final class NativeLibrary {
    private static final String RESOURCES = "/native/";

    private NativeLibrary() {}

    /** {@code linux-x86_64}, {@code linux-aarch64}, {@code macos-aarch64}, ... */
    public static String platform() {
        return platform(HostSettings.osName(), HostSettings.osArch());
    }

    static String platform(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT);
        String arch = osArch.toLowerCase(Locale.ROOT);
        String system = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os.replace(' ', '_');
        return system + "-"
                + (arch.equals("amd64") || arch.equals("x86-64") ? "x86_64" : arch.equals("arm64") ? "aarch64" : arch);
    }

    /** Where the library may be kept, best first. */
    static List<Path> cacheFolders(Map<String, String> environment, String userHome, String temporary, String user) {
        List<Path> folders = new ArrayList<>();
        String own = environment.getOrDefault("OBR_CACHE", "");
        if (!own.isBlank()) {
            folders.add(Path.of(own));
        }
        String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
        if (!xdg.isBlank() && Path.of(xdg).isAbsolute()) {
            folders.add(Path.of(xdg, "obr"));
        }
        if (!userHome.isBlank() && Path.of(userHome).isAbsolute()) {
            folders.add(Path.of(userHome, ".cache", "obr"));
        }
        folders.add(Path.of(temporary, "obr-" + user));
        return folders.stream().map(Path::toAbsolutePath).distinct().toList();
    }

    /** The cache folders of this process. */
    public static List<Path> cacheFolders(Map<String, String> environment) {
        return cacheFolders(
                environment, HostSettings.userHome(), HostSettings.temporaryFolder(), HostSettings.userName());
    }

    /**
     * The library of this platform, opened from the first folder that takes it and lets the system's loader run it, else from memory.
     *
     * @throws ObrException if this build has none for the platform, or no folder works: the sentence names each folder and its reason
     */
    static SymbolLookup open(List<Path> folders) {
        String resource = RESOURCES + platform() + "/" + fileName();
        byte[] library = resource(resource);
        String sha256 = new String(resource(resource + ".sha256"), StandardCharsets.US_ASCII).strip();
        return open(library, sha256, folders);
    }

    static SymbolLookup open(byte[] library, String sha256, List<Path> folders) {
        List<String> refusals = new ArrayList<>();
        for (Path folder : folders) {
            try {
                return NativeBinding.open(place(library, sha256, folder));
            } catch (IOException
                    | UnsupportedOperationException
                    | SecurityException
                    | IllegalArgumentException
                    | IllegalCallerException e) {
                refusals.add(folder + " (" + reason(e) + ")");
            }
        }
        try {
            return NativeBinding.openInMemory(MemoryFile.of(library, "obrkernels-" + sha256));
        } catch (IOException | IllegalArgumentException | IllegalCallerException e) {
            refusals.add("memory (" + reason(e) + ")");
        }
        throw new ObrException("the native kernels cannot be loaded from any folder: tried "
                + String.join(", ", refusals) + "; set OBR_CACHE to a folder that can be written to and run from");
    }

    private static String fileName() {
        return platform().startsWith("macos") ? "libobrkernels.dylib" : "libobrkernels.so";
    }

    private static byte[] resource(String name) {
        try (InputStream in = NativeLibrary.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new ObrException(
                        "no resource " + name.substring(1) + " in this build, run `make` with a C compiler");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new ObrException("resource " + name + " cannot be read: " + reason(e), e);
        }
    }

    /** The file for this content in {@code folder}, written unless it is there. */
    static Path place(byte[] library, String sha256, Path folder) throws IOException {
        Files.createDirectories(folder);
        refuseIfOthersMayWrite(folder);
        Path file = folder.resolve("obrkernels-" + sha256 + suffix());
        if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), library)) {
            return file;
        }
        Path temporary = Files.createTempFile(folder, "obrkernels-", ".part");
        try {
            write(library, temporary);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        if (!Arrays.equals(Files.readAllBytes(file), library)) {
            throw new IOException("what was written does not read back as written");
        }
        return file;
    }

    private static void write(byte[] bytes, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
    }

    /**
     * Checks that only this user or the administrator may put files into {@code folder}.
     *
     * @throws IOException where others may, saying who
     */
    public static void refuseIfOthersMayWrite(Path folder) throws IOException {
        if (!folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(folder);
        if (permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("any user may write there: " + PosixFilePermissions.toString(permissions));
        }
        long owner = ((Integer) Files.getAttribute(folder, "unix:uid")).longValue();
        long user = new UnixSystem().getUid();
        if (owner != user && owner != 0) {
            throw new IOException("it belongs to user " + owner + ", not to " + user);
        }
    }

    private static String suffix() {
        return fileName().substring(fileName().lastIndexOf('.'));
    }

    private static String reason(Exception e) {
        String message = e.getMessage();
        return e.getClass().getSimpleName() + (message == null ? "" : ": " + message);
    }
}
