package dev.obr.kernels.cpu;

import dev.obr.kernels.HostSettings;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A native library in a file that no folder holds (Linux's {@code memfd_create}): for machines where nothing may be written, as containers with a read-only root, and for a second class loader, to
 * which the JVM refuses the file of the first.
 *
 * <p>It stays open for the life of the process, as what the system's loader made of it does: its path, {@code /proc/self/fd/N}, must never mean another file.
 */
public final class MemoryFile {
    private static final int CLOSE_ON_EXEC = 1; // MFD_CLOEXEC

    /** By name; those that were made stay, so each is made once. */
    private static final Map<String, Path> MADE = new ConcurrentHashMap<>();

    private MemoryFile() {}

    /**
     * A file that the system's loader can open.
     *
     * @param name says what it holds: the same name means the same content
     * @throws IOException where the system has no such files, or not the memory
     */
    public static Path of(byte[] content, String name) throws IOException {
        Path made = MADE.get(name);
        if (made == null) {
            synchronized (MADE) {
                made = MADE.get(name);
                if (made == null) {
                    made = make(content, name);
                    MADE.put(name, made);
                }
            }
        }
        return made;
    }

    private static Path make(byte[] content, String name) throws IOException {
        if (!HostSettings.osName().equals("Linux")) {
            throw new IOException("only Linux has files without a folder");
        }
        Path file = Path.of("/proc/self/fd/" + create(name));
        Files.write(file, content);
        if (!Arrays.equals(Files.readAllBytes(file), content)) {
            throw new IOException("what was written does not read back as written");
        }
        return file;
    }

    /** int memfd_create(const char *name, unsigned int flags) */
    private static int create(String name) throws IOException {
        MemorySegment function = Linker.nativeLinker()
                .defaultLookup()
                .find("memfd_create")
                .orElseThrow(() -> new IOException("the C library has no memfd_create"));
        MethodHandle create = Linker.nativeLinker()
                .downcallHandle(
                        function,
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        int descriptor;
        try (Arena arena = Arena.ofConfined()) {
            descriptor = (int) create.invokeExact(arena.allocateFrom(name), CLOSE_ON_EXEC);
        } catch (Throwable e) {
            throw new IOException("memfd_create cannot be called", e);
        }
        if (descriptor < 0) {
            throw new IOException("the system refuses memfd_create");
        }
        return descriptor;
    }
}
