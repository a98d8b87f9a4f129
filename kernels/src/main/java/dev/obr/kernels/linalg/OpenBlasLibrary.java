package dev.obr.kernels.linalg;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.LibraryFile;
import dev.obr.kernels.cpu.NativeLibrary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Brings OpenBLAS and the Fortran runtime it needs from the jar into files that the system's loader can open: {@code <cache>/openblas-<checksum>/libopenblas.so.0} and its neighbours, in the
 * first of {@link NativeLibrary#cacheFolders} that works, each as a {@link LibraryFile}.
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
        Path folder = cache.resolve("openblas-%08x".formatted(LibraryFile.checksum(packed(FILES.getLast()))));
        SymbolLookup library = SymbolLookup.loaderLookup();
        for (String file : FILES) {
            library = SymbolLookup.libraryLookup(LibraryFile.place(packed(file), folder, file), Arena.global());
        }
        return library;
    }

    private static URL packed(String name) throws IOException {
        URL resource = OpenBlasLibrary.class.getResource(FOLDER + name);
        if (resource == null) {
            throw new IOException("no resource " + FOLDER.substring(1) + name + " in this build");
        }
        return resource;
    }
}
