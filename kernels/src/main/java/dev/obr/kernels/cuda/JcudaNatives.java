package dev.obr.kernels.cuda;

import dev.obr.kernels.HostSettings;
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
import jcuda.jcublas.JCublas2;
import jcuda.jcusolver.JCusolver;
import jcuda.jcusparse.JCusparse;
import org.jspecify.annotations.Nullable;

/**
 * Loads JCuda's native halves, each once a process.
 *
 * <p>JCuda itself unpacks them to a fixed name in {@code java.io.tmpdir} and runs whatever lies there by that name, which any user of the machine may have put there. So each is placed in the
 * first of {@link NativeLibrary#cacheFolders} that works, its checksum compared as for any {@link LibraryFile}, and JCuda is shown that folder for as long as it looks.
 */
enum JcudaNatives {
    DRIVER(
            "libJCudaDriver-",
            () -> JCudaDriver.setLogLevel(LogLevel.LOG_QUIET)), // errors are checked and said here, not on stderr
    BLAS("libJCublas2-", () -> JCublas2.setLogLevel(LogLevel.LOG_QUIET)),
    SOLVER("libJCusolver-", () -> JCusolver.setLogLevel(LogLevel.LOG_QUIET)),
    SPARSE("libJCusparse-", () -> JCusparse.setLogLevel(LogLevel.LOG_QUIET));

    private final String prefix;
    private final Runnable initialisation;

    /** Why it is not loaded, empty where it is; null before anybody asked. A class that failed to initialise cannot be tried again. */
    private @Nullable String refusal;

    JcudaNatives(String prefix, Runnable initialisation) {
        this.prefix = prefix;
        this.initialisation = initialisation;
    }

    /** @throws ObrException one sentence, if the native half does not load */
    void require() {
        String why;
        synchronized (JcudaNatives.class) { // they share the property
            why = refusal == null ? load(NativeLibrary.cacheFolders(HostSettings.environment())) : refusal;
            refusal = why;
        }
        if (!why.isEmpty()) {
            throw new ObrException(why);
        }
    }

    private String load(List<Path> folders) {
        String file = prefix + JCudaVersion.get() + "-linux-x86_64.so";
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

    private String initialise(Path folder) {
        try {
            HostSettings.withTemporaryFolder(folder.toString(), initialisation);
            return "";
        } catch (LinkageError e) {
            return "JCuda's native half does not load from " + folder + ": " + reason(e);
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
