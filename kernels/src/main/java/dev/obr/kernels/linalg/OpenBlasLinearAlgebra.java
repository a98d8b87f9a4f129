package dev.obr.kernels.linalg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.NativeLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/**
 * OpenBLAS through the foreign function interface, one BLAS thread per call: its own threads lose to Java's over rows by far (they wait for each other inside one small factorisation).
 *
 * <p>Arrays are passed in place, without copies. While a call lasts the collector can't stop that thread, so callers keep calls to some tens of milliseconds: panels of products, and
 * factorisations of one row's matrix. LAPACK counts columns first, so its <i>upper</i> triangle is our lower one.
 */
public final class OpenBlasLinearAlgebra implements LinearAlgebra {
    private static final int ROW_MAJOR = 101;
    private static final int NO_TRANSPOSE = 111;
    private static final int TRANSPOSE = 112;
    private static final int LOWER = 122;
    private static final int NON_UNIT = 131;

    private final MethodHandle sgemm;
    private final MethodHandle ssyrk;
    private final MethodHandle strsv;
    private final MethodHandle spotrf;
    private final MethodHandle strtri;
    private final String description;

    private OpenBlasLinearAlgebra(SymbolLookup library) {
        sgemm = function(
                library,
                "cblas_sgemm",
                FunctionDescriptor.ofVoid(
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_FLOAT,
                        ADDRESS,
                        JAVA_INT,
                        ADDRESS,
                        JAVA_INT,
                        JAVA_FLOAT,
                        ADDRESS,
                        JAVA_INT));
        ssyrk = function(
                library,
                "cblas_ssyrk",
                FunctionDescriptor.ofVoid(
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_FLOAT,
                        ADDRESS,
                        JAVA_INT,
                        JAVA_FLOAT,
                        ADDRESS,
                        JAVA_INT));
        strsv = function(
                library,
                "cblas_strsv",
                FunctionDescriptor.ofVoid(
                        JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT));
        spotrf = function(library, "spotrf_", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        strtri = function(
                library, "strtri_", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        call(() -> {
            function(library, "openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT))
                    .invokeExact(1);
        });
        description = "OpenBLAS (" + coreName(library) + " kernels)";
    }

    /**
     * Loads the library that came with the jar.
     *
     * @param environment where the cache folder is looked up (OBR_CACHE, XDG_CACHE_HOME)
     * @throws ObrException if there is none for this platform, or it cannot be loaded
     */
    public static OpenBlasLinearAlgebra load(Map<String, String> environment) {
        return new OpenBlasLinearAlgebra(OpenBlasLibrary.open(NativeLibrary.cacheFolders(environment)));
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public void gemm(
            Transpose opA, Transpose opB, int m, int n, int k, float alpha, Block a, Block b, float beta, Block c) {
        a.check(opA == Transpose.NO ? m : k, opA == Transpose.NO ? k : m);
        b.check(opB == Transpose.NO ? k : n, opB == Transpose.NO ? n : k);
        c.check(m, n);
        call(() -> {
            sgemm.invokeExact(
                    ROW_MAJOR,
                    code(opA),
                    code(opB),
                    m,
                    n,
                    k,
                    alpha,
                    segment(a),
                    a.stride(),
                    segment(b),
                    b.stride(),
                    beta,
                    segment(c),
                    c.stride());
        });
    }

    @Override
    public void syrk(int n, int k, float alpha, Block x, Block c) {
        x.check(k, n);
        c.check(n, n);
        call(() -> {
            ssyrk.invokeExact(
                    ROW_MAJOR, LOWER, TRANSPOSE, n, k, alpha, segment(x), x.stride(), 1f, segment(c), c.stride());
        });
    }

    @Override
    public void cholesky(int n, Block a) {
        a.check(n, n);
        MemorySegment failed = number(0);
        call(() -> {
            spotrf.invokeExact(letter('U'), number(n), segment(a), number(a.stride()), failed);
        });
        int order = failed.get(JAVA_INT, 0);
        if (order < 0) {
            throw new IllegalStateException("spotrf refuses its argument " + -order);
        }
        for (int i = 0; i < n && order == 0; i++) { // a NaN passes through spotrf unseen
            if (!Float.isFinite(a.values()[a.offset() + i * a.stride() + i])) {
                order = i + 1;
            }
        }
        if (order > 0) {
            throw new NotPositiveDefiniteException(order);
        }
    }

    @Override
    public void solveLower(Transpose op, int n, Block l, float[] x) {
        l.check(n, n);
        new Block(x, 0, n).check(1, n);
        call(() -> {
            strsv.invokeExact(
                    ROW_MAJOR, LOWER, code(op), NON_UNIT, n, segment(l), l.stride(), MemorySegment.ofArray(x), 1);
        });
    }

    @Override
    public void invertLower(int n, Block l) {
        l.check(n, n);
        MemorySegment failed = number(0);
        call(() -> {
            strtri.invokeExact(letter('U'), letter('N'), number(n), segment(l), number(l.stride()), failed);
        });
        int order = failed.get(JAVA_INT, 0);
        if (order != 0) {
            throw new IllegalArgumentException("element " + order + " of the diagonal is zero");
        }
    }

    private static int code(Transpose op) {
        return op == Transpose.NO ? NO_TRANSPOSE : TRANSPOSE;
    }

    private static MemorySegment segment(Block block) {
        return MemorySegment.ofArray(block.values()).asSlice(4L * block.offset());
    }

    /** Fortran takes everything by address. */
    private static MemorySegment number(int value) {
        return MemorySegment.ofArray(new int[] {value});
    }

    private static MemorySegment letter(char letter) {
        return MemorySegment.ofArray(new byte[] {(byte) letter});
    }

    private static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor type) {
        MemorySegment address = library.find(name)
                .orElseThrow(() -> new ObrException("this OpenBLAS has no function " + name + "; rebuild the jar"));
        return Linker.nativeLinker().downcallHandle(address, type, Linker.Option.critical(true));
    }

    private static String coreName(SymbolLookup library) {
        MethodHandle function = function(library, "openblas_get_corename", FunctionDescriptor.of(ADDRESS));
        try {
            MemorySegment name = (MemorySegment) function.invokeExact();
            MemorySegment text = name.reinterpret(64);
            StringBuilder letters = new StringBuilder();
            for (byte b = text.get(JAVA_BYTE, 0); b != 0; b = text.get(JAVA_BYTE, letters.length())) {
                letters.append((char) b);
            }
            return letters.toString();
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @FunctionalInterface
    private interface Call {
        void run() throws Throwable;
    }

    private static void call(Call call) {
        try {
            call.run();
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Method handles declare everything, but throw nothing checked. */
    private static IllegalStateException failed(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e);
    }
}
