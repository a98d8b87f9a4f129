package dev.obr.kernels.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.obr.kernels.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * The C functions of {@code obrkernels.h} that every model needs, as typed Java methods, bound for one instruction set.
 *
 * <p>Nothing is checked here: a wrong size reads or writes foreign memory. {@link NativeKernels} checks.
 */
final class NativeBinding {
    /** The value of OBR_ABI that these signatures belong to. */
    private static final int ABI = 4;

    /** What the C sources are compiled for, slowest first; ordinals and suffixes are those of the C functions. */
    enum InstructionSet implements KernelSet {
        GENERIC("generic", "any processor, 4 lanes", CpuCap.GENERIC, Tested.ON_HARDWARE),
        AVX2("avx2", "AVX2 FMA F16C, 8 lanes", CpuCap.AVX2, Tested.ON_HARDWARE),
        AVX512("avx512", "AVX-512 F BW DQ VL, 16 lanes", CpuCap.AVX512, Tested.ON_HARDWARE);

        private final Facts facts;

        InstructionSet(String suffix, String description, CpuCap level, Tested tested) {
            facts = new Facts(suffix, description, level, tested);
        }

        @Override
        public Facts facts() {
            return facts;
        }
    }

    private final MethodHandle matmul;
    private final MethodHandle dequantize;
    private final MethodHandle rmsNorm;
    private final MethodHandle rope;
    private final MethodHandle attention;
    private final MethodHandle siluMul;
    private final MethodHandle add;
    private final MethodHandle store;
    private final MethodHandle read;

    /** Looks up each function of {@code set} in an open library. */
    NativeBinding(SymbolLookup library, InstructionSet set) {
        matmul = function(
                library, set, "matmul", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT,
                ADDRESS, JAVA_LONG);
        dequantize = function(library, set, "dequantize", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
        rmsNorm = function(library, set, "rms_norm", ADDRESS, ADDRESS, JAVA_FLOAT, JAVA_INT, ADDRESS);
        rope = function(library, set, "rope", ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
        attention = function(
                library,
                set,
                "attention",
                ADDRESS,
                JAVA_INT,
                JAVA_INT,
                ADDRESS,
                ADDRESS,
                JAVA_INT,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                ADDRESS);
        siluMul = function(library, set, "silu_mul", ADDRESS, ADDRESS, JAVA_LONG);
        add = function(library, set, "add", ADDRESS, ADDRESS, JAVA_LONG);
        store = function(library, set, "store", ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
        read = downcall(library, "obr_read_" + set.suffix(), FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG));
    }

    /**
     * Opens a library for the life of the process and checks that it has these signatures.
     *
     * @throws IllegalArgumentException if the system's loader refuses the file
     */
    static SymbolLookup open(Path file) {
        return checked(SymbolLookup.libraryLookup(file, Arena.global()));
    }

    /** As {@link #open}, for a file that has a path but no folder: the path goes to the loader as it is, for resolved it leads nowhere. */
    static SymbolLookup openInMemory(Path file) {
        return checked(SymbolLookup.libraryLookup(file.toString(), Arena.global()));
    }

    private static SymbolLookup checked(SymbolLookup library) {
        int abi = call(downcall(library, "obr_abi", FunctionDescriptor.of(JAVA_INT)));
        if (abi != ABI) {
            throw new IllegalArgumentException("its interface is number " + abi + ", this jar expects " + ABI);
        }
        return library;
    }

    /** Whether the processor and the operating system run {@code set}. */
    static Trial.Support support(SymbolLookup library, InstructionSet set) {
        return support(library, "obr_supports", set.ordinal());
    }

    /** The answer of {@code function} for the set of that ordinal. */
    static Trial.Support support(SymbolLookup library, String function, int set) {
        MethodHandle supports = downcall(library, function, FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        try {
            return Trial.Support.values()[(int) supports.invokeExact(set)];
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void matmul(
            DType type,
            MemorySegment w,
            long rowBytes,
            int cols,
            int from,
            int to,
            MemorySegment x,
            int tokens,
            MemorySegment y,
            long yStride) {
        try {
            matmul.invokeExact(type.ordinal(), w, rowBytes, cols, from, to, x, tokens, y, yStride);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void dequantize(DType type, MemorySegment row, int cols, MemorySegment y) {
        try {
            dequantize.invokeExact(type.ordinal(), row, cols, y);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void rmsNorm(MemorySegment x, MemorySegment weight, float eps, int n, MemorySegment y) {
        try {
            rmsNorm.invokeExact(x, weight, eps, n, y);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void rope(MemorySegment x, int heads, int headDim, MemorySegment cosSin) {
        try {
            rope.invokeExact(x, heads, headDim, cosSin);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void attention(
            MemorySegment q,
            int group,
            int headDim,
            MemorySegment keys,
            MemorySegment values,
            DType kv,
            int positions,
            float scale,
            MemorySegment scores,
            MemorySegment out) {
        try {
            attention.invokeExact(q, group, headDim, keys, values, kv.ordinal(), positions, scale, scores, out);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void siluMul(MemorySegment gate, MemorySegment up, long n) {
        try {
            siluMul.invokeExact(gate, up, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void add(MemorySegment x, MemorySegment y, long n) {
        try {
            add.invokeExact(x, y, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void store(MemorySegment x, DType type, int n, MemorySegment y) {
        try {
            store.invokeExact(x, type.ordinal(), n, y);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    long read(MemorySegment words, long n) {
        try {
            return (long) read.invokeExact(words, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static MethodHandle function(SymbolLookup library, InstructionSet set, String name, MemoryLayout... parameters) {
        return downcall(library, "obr_" + name + "_" + set.suffix(), FunctionDescriptor.ofVoid(parameters));
    }

    static MethodHandle downcall(
            SymbolLookup library, String name, FunctionDescriptor signature, Linker.Option... options) {
        MemorySegment symbol =
                library.find(name).orElseThrow(() -> new IllegalArgumentException("it has no function " + name));
        return Linker.nativeLinker().downcallHandle(symbol, signature, options);
    }

    private static int call(MethodHandle function) {
        try {
            return (int) function.invokeExact();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** C functions throw nothing; what a handle throws is a closed or heap segment among the arguments. */
    static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException exception) {
            return exception;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e);
    }
}
