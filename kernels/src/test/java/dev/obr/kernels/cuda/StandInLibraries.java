package dev.obr.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The stand-ins for cuBLAS, cuSOLVER and cuSPARSE (standin_cublas.c and so on), compiled and loaded behind {@link StandInDriver} before JCuda's halves are, which then find these. */
public final class StandInLibraries {
    private static final int CUBLAS_NOT_SUPPORTED = 15;
    private static final int CUSOLVER_NOT_SUPPORTED = 9;
    private static final int CUSPARSE_NOT_SUPPORTED = 10;

    /** What of cuBLAS' arguments is changed on its way, as standin_cublas.c numbers it. */
    enum BlasMutation {
        NONE,
        GEMM_OPERATION,
        GEMM_LEADING_DIMENSION,
        GEMM_FACTORS_SWAPPED,
        GEMM_BETA,
        SYRK_TRIANGLE,
        SYRK_OPERATION,
        TRSM_OPERATION,
        TRSM_TRIANGLE,
        TRSM_ORDER,
        BATCH_STRIDE,
        BATCH_COUNT,
        BATCH_POINTERS,
        BATCH_LEADING_DIMENSION,
        DOUBLE_LEADING_DIMENSION,
        DOUBLE_FACTORS_SWAPPED
    }

    /** What of cuSOLVER's, as standin_cusolver.c numbers it. */
    enum SolverMutation {
        NONE,
        TRIANGLE,
        LEADING_DIMENSION,
        WORKSPACE,
        ORDER,
        BATCH_COUNT,
        BATCH_INFO
    }

    /** What of cuSPARSE's, as standin_cusparse.c numbers it. */
    enum SparseMutation {
        NONE,
        LEADING_DIMENSION,
        ROW_STARTS,
        VALUES,
        ELL_COLUMNS,
        BLOCK_SIZE,
        WORKSPACE,
        BETA
    }

    private final MethodHandle mutateBlas;
    private final MethodHandle mutateSolver;
    private final MethodHandle mutateSparse;
    private final MethodHandle mathMode;

    private StandInLibraries(SymbolLookup blas, SymbolLookup solver, SymbolLookup sparse) {
        mutateBlas = StandInDriver.function(blas, "standin_cublas_mutate", FunctionDescriptor.ofVoid(JAVA_INT));
        mutateSolver = StandInDriver.function(solver, "standin_cusolver_mutate", FunctionDescriptor.ofVoid(JAVA_INT));
        mutateSparse = StandInDriver.function(sparse, "standin_cusparse_mutate", FunctionDescriptor.ofVoid(JAVA_INT));
        mathMode = StandInDriver.function(blas, "standin_cublas_math_mode", FunctionDescriptor.of(JAVA_INT));
    }

    /** Those of this process, built when they are first asked for. */
    public static StandInLibraries shared() {
        return Shared.LIBRARIES;
    }

    private static final class Shared {
        static final StandInLibraries LIBRARIES = load();

        private static StandInLibraries load() {
            try {
                Path folder = StandInDriver.shared().folder();
                SymbolLookup blas = load(
                        folder,
                        "libcublas.so.12",
                        "standin_cublas.c",
                        StandInDriver.unsupported(folder, "libJCublas2-", "cublas\\w+", CUBLAS_NOT_SUPPORTED));
                SymbolLookup solver = load(
                        folder,
                        "libcusolver.so.11",
                        "standin_cusolver.c",
                        StandInDriver.unsupported(
                                folder, "libJCusolver-", "cusolver(?!Mg)\\w+", CUSOLVER_NOT_SUPPORTED));
                load(
                        folder,
                        "libcusolverMg.so.11",
                        "standin_none.c",
                        StandInDriver.unsupported(folder, "libJCusolver-", "cusolverMg\\w+", CUSOLVER_NOT_SUPPORTED));
                SymbolLookup sparse = load(
                        folder,
                        "libcusparse.so.12",
                        "standin_cusparse.c",
                        StandInDriver.unsupported(folder, "libJCusparse-", "cusparse\\w+", CUSPARSE_NOT_SUPPORTED));
                return new StandInLibraries(blas, solver, sparse);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        /** NVIDIA's libraries give their symbols a version of their own name, which JCuda's halves ask for. */
        private static SymbolLookup load(Path folder, String name, String source, Path unsupported) throws IOException {
            Path versions = Files.writeString(folder.resolve(name + ".map"), name + " { global: *; };\n");
            Path library = folder.resolve(name);
            StandInDriver.compile(
                    library,
                    source,
                    unsupported,
                    List.of("-Wl,--version-script," + versions, "-L" + folder, "-l:libcuda.so.1", "-lm"));
            System.load(library.toString());
            return SymbolLookup.libraryLookup(library, Arena.global());
        }
    }

    void mutate(BlasMutation mutation) {
        set(mutateBlas, mutation.ordinal());
    }

    void mutate(SolverMutation mutation) {
        set(mutateSolver, mutation.ordinal());
    }

    void mutate(SparseMutation mutation) {
        set(mutateSparse, mutation.ordinal());
    }

    /** What cublasSetMathMode was last called with. */
    int mathMode() {
        try {
            return (int) mathMode.invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void set(MethodHandle function, int value) {
        try {
            function.invokeExact(value);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
