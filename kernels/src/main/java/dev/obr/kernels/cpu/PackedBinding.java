package dev.obr.kernels.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions of {@code packed.h} as typed Java methods, bound for one instruction set.
 *
 * <p>Nothing is checked here: a wrong size reads or writes foreign memory. {@link NativePackedKernels} checks.
 */
final class PackedBinding {
    /** What the integer kernels are compiled for, slowest first; ordinals and suffixes are those of the C functions. */
    enum InstructionSet implements KernelSet {
        AVX2("avx2", "AVX2", CpuCap.AVX2, Tested.ON_HARDWARE),
        AVX_VNNI("avxvnni", "AVX-VNNI", CpuCap.AVXVNNI, Tested.IN_EMULATION),
        AVX512_VNNI("avx512vnni", "AVX-512 VNNI VBMI2", CpuCap.AVX512, Tested.ON_HARDWARE),
        AMX("amx", "AMX-INT8 beside AVX-512 VNNI VBMI2", CpuCap.AMX, Tested.IN_EMULATION),
        /** Of another kind of processor: every cap above {@code generic} allows it. */
        DOTPROD("dotprod", "NEON dot products", CpuCap.AVX2, Tested.IN_EMULATION);

        private final Facts facts;

        InstructionSet(String suffix, String description, CpuCap level, Tested tested) {
            facts = new Facts(suffix, description, level, tested);
        }

        @Override
        public Facts facts() {
            return facts;
        }
    }

    private final MethodHandle allocate;
    private final MethodHandle release;
    private final MethodHandle forget;
    private final MethodHandle size;
    private final MethodHandle lay;
    private final MethodHandle inputSize;
    private final MethodHandle input;
    private final MethodHandle matmul;

    /** Looks up each function of {@code set} in an open library. */
    PackedBinding(SymbolLookup library, InstructionSet set) {
        String end = "_" + set.suffix();
        allocate = NativeBinding.downcall(library, "obr_allocate", FunctionDescriptor.of(ADDRESS, JAVA_LONG));
        release = NativeBinding.downcall(library, "obr_release", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
        forget = NativeBinding.downcall(library, "obr_forget", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
        size = NativeBinding.downcall(
                library,
                "obr_packed_size" + end,
                FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
        lay = NativeBinding.downcall(
                library,
                "obr_packed_lay" + end,
                FunctionDescriptor.ofVoid(
                        JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        inputSize = NativeBinding.downcall(
                library, "obr_packed_input_size" + end, FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_INT));
        // A microsecond that may hold up the garbage collector, so that activations need not be copied out of the heap.
        input = NativeBinding.downcall(
                library,
                "obr_packed_input" + end,
                FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, ADDRESS, JAVA_FLOAT, JAVA_INT, ADDRESS),
                Linker.Option.critical(true));
        matmul = NativeBinding.downcall(
                library,
                "obr_packed_matmul" + end,
                FunctionDescriptor.ofVoid(
                        JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS,
                        JAVA_INT, ADDRESS, JAVA_LONG));
    }

    /** Whether the processor and the operating system run {@code set}. */
    static Trial.Support support(SymbolLookup library, InstructionSet set) {
        return NativeBinding.support(library, "obr_packed_supports", set.ordinal());
    }

    /** Memory for weights, not cleared, given back when the arena closes. */
    MemorySegment allocate(long bytes, Arena arena) {
        MemorySegment memory;
        try {
            memory = (MemorySegment) allocate.invokeExact(bytes);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
        if (memory.address() == 0) {
            throw new ObrException("there are no " + bytes + " bytes of memory left for a weight: close other programs"
                    + " or take a smaller model");
        }
        return memory.reinterpret(bytes, arena, this::release);
    }

    /** Only for mapped files. */
    void forget(MemorySegment file) {
        try {
            forget.invokeExact(file, file.byteSize());
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    private void release(MemorySegment memory) {
        try {
            release.invokeExact(memory, memory.byteSize());
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    long size(Pattern pattern, int rows, int cols, MemorySegment index) {
        try {
            return (long) size.invokeExact(pattern.ordinal(), rows, cols, index);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    void lay(
            Pattern pattern,
            int rows,
            int cols,
            int from,
            int to,
            MemorySegment codes,
            MemorySegment index,
            MemorySegment layout,
            MemorySegment sums) {
        try {
            lay.invokeExact(pattern.ordinal(), rows, cols, from, to, codes, index, layout, sums);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    long inputSize(Pattern pattern, int cols) {
        try {
            return (long) inputSize.invokeExact(pattern.ordinal(), cols);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    void input(Pattern pattern, int cols, MemorySegment x, float scale, int most, MemorySegment input) {
        try {
            this.input.invokeExact(pattern.ordinal(), cols, x, scale, most, input);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }

    void matmul(
            Pattern pattern,
            int rows,
            int cols,
            int from,
            int to,
            MemorySegment layout,
            MemorySegment sums,
            MemorySegment scales,
            MemorySegment inputs,
            MemorySegment inputScales,
            int tokens,
            MemorySegment y,
            long yStride) {
        try {
            matmul.invokeExact(
                    pattern.ordinal(),
                    rows,
                    cols,
                    from,
                    to,
                    layout,
                    sums,
                    scales,
                    inputs,
                    inputScales,
                    tokens,
                    y,
                    yStride);
        } catch (Throwable e) {
            throw NativeBinding.unexpected(e);
        }
    }
}
