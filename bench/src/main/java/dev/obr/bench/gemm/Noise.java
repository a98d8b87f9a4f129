package dev.obr.bench.gemm;

import dev.obr.kernels.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Normally distributed numbers, made as fast as memory is written: a few are drawn and then repeated. */
final class Noise {
    private static final int SAMPLES = (1 << 18) - 5; // no power of two, so that rows differ
    private static final float DEVIATION = 0.05f;
    private static final int ALIGNMENT = 64;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private Noise() {}

    /** {@code count} numbers of type F32 or F16. */
    static MemorySegment of(DType type, long count, Arena arena) {
        MemorySegment memory = arena.allocate(type.bytes(count), ALIGNMENT);
        fill(type, memory);
        return memory;
    }

    /** As many float32 as the array has. */
    static float[] fill(float[] values) {
        fill(DType.F32, MemorySegment.ofArray(values));
        return values;
    }

    /** Draws the beginning, then copies what is there behind itself. */
    private static void fill(DType type, MemorySegment memory) {
        long filled = Math.min(memory.byteSize(), type.bytes(SAMPLES));
        Random random = new Random(1);
        for (long at = 0; at < filled; at += type.blockBytes()) {
            float value = (float) random.nextGaussian() * DEVIATION;
            if (type == DType.F32) {
                memory.set(FLOAT, at, value);
            } else {
                memory.set(SHORT, at, Float.floatToFloat16(value));
            }
        }
        while (filled < memory.byteSize()) {
            long more = Math.min(filled, memory.byteSize() - filled);
            MemorySegment.copy(memory, 0, memory, filled, more);
            filled += more;
        }
    }
}
