package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Random operands of a case, in native memory, and their values in double. */
final class Operands {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final Arena arena;
    private final Random random;

    Operands(Arena arena, long seed) {
        this.arena = arena;
        this.random = new Random(seed);
    }

    /** Normal floats that end exactly at the end of their memory. */
    MemorySegment floats(int n) {
        MemorySegment memory = arena.allocate(4L * n, 4);
        for (int i = 0; i < n; i++) {
            memory.setAtIndex(FLOAT, i, (float) random.nextGaussian());
        }
        return memory;
    }

    /** Weights of order one at an odd address, as in files whose tensors are not aligned. */
    MemorySegment weights(DType type, long count) {
        MemorySegment memory = arena.allocate(type.bytes(count) + 1, 2).asSlice(1);
        byte[] noise = new byte[Math.toIntExact(memory.byteSize())];
        random.nextBytes(noise);
        MemorySegment.copy(noise, 0, memory, ValueLayout.JAVA_BYTE, 0, noise.length);
        for (long at = 0; at < memory.byteSize(); at += type.blockBytes()) {
            switch (type) {
                case F32 -> memory.set(FLOAT, at, (float) random.nextGaussian());
                case F16 -> memory.set(SHORT, at, half((float) random.nextGaussian()));
                case BF16 -> memory.set(SHORT, at, (short) (Float.floatToIntBits((float) random.nextGaussian()) >> 16));
                case Q8_0 -> memory.set(SHORT, at, half(0.01f * random.nextFloat()));
                case Q4_0 -> memory.set(SHORT, at, half(0.3f * random.nextFloat()));
                case Q4_1 -> {
                    memory.set(SHORT, at, half(0.2f * random.nextFloat()));
                    memory.set(SHORT, at + 2, half(-2 * random.nextFloat()));
                }
                case Q4_K -> {
                    memory.set(SHORT, at, half(0.005f * random.nextFloat()));
                    memory.set(SHORT, at + 2, half(0.03f * random.nextFloat()));
                }
                case Q6_K -> memory.set(SHORT, at + 208, half(0.001f * random.nextFloat()));
                case CODES_8, CODES_4 -> {} // any bits will do
            }
        }
        return memory;
    }

    private static short half(float v) {
        return Float.floatToFloat16(v);
    }

    /** Stored weights as doubles: plain types by their definition, block types by {@link Dequantizer}, which gguf-py's values prove. */
    static double[] decode(DType type, MemorySegment memory, int count) {
        double[] values = new double[count];
        float[] floats = new float[count];
        if (type.blockSize() > 2) {
            Dequantizer.dequantize(type, memory, 0, count, floats, 0);
        }
        for (int i = 0; i < count; i++) {
            values[i] = switch (type) {
                case F32 -> memory.get(FLOAT, 4L * i);
                case F16 -> fromBits(memory.get(SHORT, 2L * i), 5, 10);
                case BF16 -> fromBits(memory.get(SHORT, 2L * i), 8, 7);
                case CODES_8 -> memory.get(ValueLayout.JAVA_BYTE, i);
                case CODES_4 -> Math.floorMod((memory.get(ValueLayout.JAVA_BYTE, i / 2) >> i % 2 * 4) + 8, 16) - 8;
                default -> floats[i];
            };
        }
        return values;
    }

    /** A finite 16-bit float by the definition of the format: (-1)^sign 1.mantissa 2^(exponent - bias), or 0.mantissa 2^(1 - bias). */
    private static double fromBits(short bits, int exponentBits, int mantissaBits) {
        int bias = (1 << exponentBits - 1) - 1;
        int exponent = bits >> mantissaBits & (1 << exponentBits) - 1;
        int mantissa = bits & (1 << mantissaBits) - 1;
        double magnitude = exponent == 0
                ? Math.scalb((double) mantissa, 1 - bias - mantissaBits)
                : Math.scalb(mantissa + (double) (1 << mantissaBits), exponent - bias - mantissaBits);
        return bits < 0 ? -magnitude : magnitude;
    }

    static double get(MemorySegment floats, long index) {
        return floats.getAtIndex(FLOAT, index);
    }

    static void set(MemorySegment floats, long index, float value) {
        floats.setAtIndex(FLOAT, index, value);
    }

    static void fill(MemorySegment floats, float value) {
        for (long i = 0; i < floats.byteSize() / 4; i++) {
            floats.setAtIndex(FLOAT, i, value);
        }
    }
}
