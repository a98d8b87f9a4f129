package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    private static final byte[] CONTENT = "stands for a library".getBytes(StandardCharsets.US_ASCII);
    private static final String HASH = "00c0ffee"; // names the file; what it holds is compared byte by byte

    @TempDir
    Path folder;

    @Test
    void namesPlatformsAsMakeDoes() {
        assertThat(NativeLibrary.platform("Linux", "amd64")).isEqualTo("linux-x86_64");
        assertThat(NativeLibrary.platform("Mac OS X", "aarch64")).isEqualTo("macos-aarch64");
        assertThat(NativeLibrary.platform("Windows 11", "amd64")).isEqualTo("windows-x86_64");
    }

    @Test
    void looksForACacheFolderInTheDocumentedOrder() {
        assertThat(NativeLibrary.cacheFolders(
                        Map.of("OBR_CACHE", "/a", "XDG_CACHE_HOME", "/b"), "/home/u", "/tmp", "u"))
                .containsExactly(
                        Path.of("/a"), Path.of("/b/obr"), Path.of("/home/u/.cache/obr"), Path.of("/tmp/obr-u"));
        assertThat(NativeLibrary.cacheFolders(Map.of("XDG_CACHE_HOME", "relative"), "?", "/tmp", "u"))
                .containsExactly(Path.of("/tmp/obr-u"));
    }

    @Test
    void writesOnceAndKeepsWhatIsRight() throws IOException {
        Path first = NativeLibrary.place(CONTENT, HASH, folder.resolve("new/cache"));
        var written = Files.getLastModifiedTime(first);
        Path second = NativeLibrary.place(CONTENT, HASH, folder.resolve("new/cache"));

        assertThat(second).isEqualTo(first).hasBinaryContent(CONTENT);
        assertThat(first.getFileName().toString()).contains(HASH);
        assertThat(Files.getLastModifiedTime(second)).isEqualTo(written);
        assertThat(namesIn(folder.resolve("new/cache"))).hasSize(1);
    }

    @Test
    void replacesADamagedFile() throws IOException {
        Path file = NativeLibrary.place(CONTENT, HASH, folder);
        Files.writeString(file, "cut off");
        assertThat(NativeLibrary.place(CONTENT, HASH, folder)).hasBinaryContent(CONTENT);
    }

    @Test
    void refusesAFolderThatAnyoneMayWriteTo() throws IOException {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"), "no POSIX permissions here");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> NativeLibrary.place(CONTENT, HASH, folder)).hasMessageContaining("any user may write");
    }

    @Test
    void triesTheNextFolderAndSaysEachReason() throws IOException {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"), "no POSIX permissions here");
        Path file = Files.writeString(folder.resolve("file"), "no folder");
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> NativeLibrary.open(foreign(), HASH, List.of(file, open)))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining(file + " (FileAlreadyExistsException")
                .hasMessageContaining(open + " (IOException: any user may write there: rwxrwxrwx)")
                .hasMessageContaining("memory (")
                .hasMessageContaining("OBR_CACHE");
    }

    /** A library for a processor that nobody has built: the system's loader refuses it by its header. */
    private static byte[] foreign() throws IOException {
        String name = "/native/" + NativeLibrary.platform() + "/" + System.mapLibraryName("obrkernels");
        try (InputStream resource = NativeLibraryTest.class.getResourceAsStream(name)) {
            assumeTrue(resource != null, "no native kernels in this build");
            byte[] library = resource.readAllBytes();
            library[18] = (byte) 0xF0; // of e_machine, where files are ELF
            return library;
        }
    }

    @Test
    void manyThreadsPlaceOneWholeFile() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Callable<Path>> calls = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                calls.add(() -> NativeLibrary.place(CONTENT, HASH, folder));
            }
            for (Future<Path> path : threads.invokeAll(calls)) {
                assertThat(path.get()).hasBinaryContent(CONTENT);
            }
        }
        assertThat(namesIn(folder)).hasSize(1);
    }

    @Test
    void twoJvmsThatStartAtOnceBothLoadIt() throws Exception {
        Twins.NATIVE_GENERIC.get();
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            LoadNatives.class.getName(),
                            folder.toString())
                    .redirectErrorStream(true)
                    .start());
        }
        for (Process process : processes) {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            assertThat(output).contains("kernels: native (");
        }
        assertThat(namesIn(folder)).hasSize(1);
    }

    /** What each of two JVMs runs. */
    static final class LoadNatives {
        public static void main(String[] args) {
            System.out.println(CpuKernelsProvider.choose("native", Map.of("OBR_CACHE", args[0]))
                    .reason());
        }
    }

    private static List<String> namesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
