package dev.obr.kernels.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.obr.kernels.cpu.NativeBinding.InstructionSet;
import dev.obr.kernels.hadamard.HadamardMatrix;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions of {@code obrkernels.h} that only packed models and coded caches need: they make codes of activations, keys and values, and attend over them.
 *
 * <p>Apart from {@link NativeBinding} because binding a function costs some milliseconds of every start. Nothing is checked here: {@link NativeKernels} checks.
 */
final class CodesBinding {
    private final MethodHandle hadamard;
    private final MethodHandle largest;
    private final MethodHandle codeError;
    private final MethodHandle storeCodes;
    private final MethodHandle attendCodes;
    private final MethodHandle mergeAttention;

    /** Looks up each function of {@code set} in an open library. */
    CodesBinding(SymbolLookup library, InstructionSet set) {
        // The signs need not be copied out of the heap: the longest transforms take some hundred microseconds.
        hadamard = NativeBinding.downcall(
                library,
                "obr_hadamard_" + set.suffix(),
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_FLOAT),
                Linker.Option.critical(true));
        largest = NativeBinding.downcall(
                library, "obr_largest_" + set.suffix(), FunctionDescriptor.of(JAVA_FLOAT, ADDRESS, JAVA_INT));
        codeError = NativeBinding.downcall(
                library,
                "obr_code_error_" + set.suffix(),
                FunctionDescriptor.of(JAVA_DOUBLE, ADDRESS, JAVA_INT, JAVA_FLOAT, JAVA_INT));
        storeCodes = NativeBinding.function(
                library,
                set,
                "store_codes",
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                ADDRESS,
                JAVA_LONG,
                JAVA_INT,
                JAVA_INT,
                ADDRESS,
                JAVA_LONG,
                JAVA_INT);
        attendCodes = NativeBinding.function(
                library,
                set,
                "attend_codes",
                JAVA_INT,
                JAVA_INT,
                ADDRESS,
                JAVA_INT,
                JAVA_INT,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS);
        mergeAttention = NativeBinding.function(
                library, set, "merge_attention", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
    }

    void hadamard(MemorySegment x, int n, int width, HadamardMatrix factor) {
        float scale = (float) (1 / Math.sqrt(n));
        try {
            hadamard.invokeExact(x, n, width, factor.order(), factor.entries(), scale);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    void storeCodes(
            KvTiles tiles,
            boolean values,
            MemorySegment x,
            long stride,
            int tokens,
            int heads,
            MemorySegment memory,
            long headBytes,
            int position) {
        try {
            storeCodes.invokeExact(
                    tiles.bits(),
                    tiles.headDim(),
                    values ? 1 : 0,
                    x,
                    stride,
                    tokens,
                    heads,
                    memory,
                    headBytes,
                    position);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    float largest(MemorySegment x, int n) {
        try {
            return (float) largest.invokeExact(x, n);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    void attendCodes(
            KvTiles tiles,
            MemorySegment q,
            int tokens,
            int group,
            long stride,
            MemorySegment keys,
            MemorySegment values,
            int first,
            int from,
            int to,
            float scale,
            MemorySegment results) {
        try {
            attendCodes.invokeExact(
                    tiles.bits(),
                    tiles.headDim(),
                    q,
                    tokens,
                    group,
                    stride,
                    keys,
                    values,
                    first,
                    from,
                    to,
                    scale,
                    results);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    double codeError(MemorySegment x, int n, float scale, int most) {
        try {
            return (double) codeError.invokeExact(x, n, scale, most);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    void mergeAttention(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, long stride) {
        try {
            mergeAttention.invokeExact(headDim, results, spans, tokens, group, out, stride);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }
}
