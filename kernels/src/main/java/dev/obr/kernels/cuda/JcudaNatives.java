package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.LibraryFile;
import dev.obr.kernels.cpu.NativeLibrary;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.JCudaVersion;
import jcuda.LogLevel;
import jcuda.driver.JCudaDriver;

/**
 * Loads JCuda's native half, once a process.
 *
 * <p>JCuda itself unpacks it to a fixed name in {@code java.io.tmpdir} and runs whatever lies there by that name, which any user of the machine may have put there. So it is placed in the
 * first of {@link NativeLibrary#cacheFolders} that works, its checksum compared as for any {@link LibraryFile}, and JCuda is shown that folder for as long as it looks.
 */
final class JcudaNatives {
    private static final String WHERE_JCUDA_LOOKS = "java.io.tmpdir";

    /** Why it is not loaded; empty where it is. A class that failed to initialise cannot be tried again. */
    private static final String REFUSAL = load(NativeLibrary.cacheFolders(System.getenv()));

    private JcudaNatives() {}

    /** @throws ObrException one sentence, if the native half does not load */
    static void require() {
        if (!REFUSAL.isEmpty()) {
            throw new ObrException(REFUSAL);
        }
    }

    private static String load(List<Path> folders) {
        String file = "libJCudaDriver-" + JCudaVersion.get() + "-linux-x86_64.so";
        URL packed = JcudaNatives.class.getResource("/lib/" + file);
        if (packed == null) {
            return "this build has no " + file + ", JCuda's native half";
        }
        List<String> refusals = new ArrayList<>();
        for (Path folder : folders) {
            try {
                Files.createDirectories(folder);
                NativeLibrary.refuseIfOthersMayWrite(folder);
                Path placed = folder.resolve("jcuda-%08x".formatted(LibraryFile.checksum(packed)));
                LibraryFile.place(packed, placed, file);
                return initialise(placed);
            } catch (IOException | SecurityException e) {
                refusals.add(folder + " (" + e + ")");
            }
        }
        return "JCuda's native half cannot be placed in any folder: tried " + String.join(", ", refusals)
                + "; set OBR_CACHE to a folder that can be written to and run from";
    }

    private static String initialise(Path folder) {
        String before = System.getProperty(WHERE_JCUDA_LOOKS);
        System.setProperty(WHERE_JCUDA_LOOKS, folder.toString());
        try {
            JCudaDriver.setLogLevel(LogLevel.LOG_QUIET); // errors are checked and said here, not on stderr
            return "";
        } catch (LinkageError e) {
            return "JCuda's native half does not load from " + folder + ": " + reason(e);
        } finally {
            System.setProperty(WHERE_JCUDA_LOOKS, before);
        }
    }

    /** The loader's own words: the last link error that JCuda's nested stack traces quote. */
    private static String reason(LinkageError e) {
        String marker = "UnsatisfiedLinkError: ";
        return String.valueOf(e.getMessage())
                .lines()
                .filter(line -> line.contains(marker))
                .map(line -> line.substring(line.indexOf(marker) + marker.length()))
                .reduce((first, second) -> second)
                .orElse(e.toString().lines().findFirst().orElse(""));
    }
}
