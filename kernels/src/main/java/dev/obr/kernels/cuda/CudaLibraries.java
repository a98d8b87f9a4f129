package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * NVIDIA's libraries of CUDA 12 that compression uses on a GPU, and benchmarks beside our kernels. They come with the CUDA toolkit, not with the driver, so that a machine which runs models may lack them.
 *
 * <p>They are opened here before JCuda's native halves are, which need the same ones by name: so they are found where the toolkit puts them although that is seldom on the loader's path.
 */
final class CudaLibraries {
    /** Where they may lie that the loader does not look. */
    static final List<Path> FOLDERS = List.of(
            Path.of("/usr/local/cuda-12/lib64"),
            Path.of("/usr/local/cuda/lib64"),
            Path.of("/usr/local/cuda-12/targets/x86_64-linux/lib"),
            Path.of("/usr/lib/x86_64-linux-gnu"));

    private static final Library BLAS = new Library("cuBLAS 12", "libcublas.so.12");
    private static final List<Library> NEEDED = List.of(
            BLAS,
            new Library("cuSOLVER 11 of CUDA 12", "libcusolver.so.11"),
            new Library("cuSOLVER 11 of CUDA 12", "libcusolverMg.so.11"));

    private static final Library SPARSE = new Library("cuSPARSE 12", "libcusparse.so.12", "being compared with it");

    /**
     * One of them.
     *
     * @param product what it belongs to, for people
     * @param use what takes it, for people
     */
    record Library(String product, String file, String use) {
        Library(String product, String file) {
            this(product, file, "compressing on the GPU");
        }
    }

    private CudaLibraries() {}

    /** @throws ObrException one sentence, naming the first library that is missing and what still works without it */
    static void require() {
        for (Library library : NEEDED) {
            open(library, FOLDERS);
        }
        JcudaNatives.BLAS.require();
        JcudaNatives.SOLVER.require();
    }

    /** @throws ObrException the same, of cuBLAS alone */
    static void requireBlas() {
        open(BLAS, FOLDERS);
        JcudaNatives.BLAS.require();
    }

    /** @throws ObrException the same, of cuSPARSE alone */
    static void requireSparse() {
        open(SPARSE, FOLDERS);
        JcudaNatives.SPARSE.require();
    }

    static void open(Library library, List<Path> folders) {
        if (opens(library.file)) {
            return;
        }
        for (Path folder : folders) {
            Path file = folder.resolve(library.file);
            if (Files.exists(file) && opens(file.toString())) {
                return;
            }
        }
        throw new ObrException(
                library.product + " is missing (" + library.file + " cannot be loaded): " + library.use
                        + " takes the CUDA 12 toolkit's libraries, installed or in LD_LIBRARY_PATH; running models on it takes the driver alone");
    }

    /** It stays open: JCuda needs the same one. */
    private static boolean opens(String name) {
        try {
            SymbolLookup.libraryLookup(name, Arena.global());
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
