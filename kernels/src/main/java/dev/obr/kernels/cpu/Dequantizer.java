package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Stored weights -> float32: the specification of every storage type, one block at a time.
 *
 * <p>Block layouts are GGUF's. One line is one block, bytes from left to right; d and m are half floats, q codes, and all is little-endian:
 *
 * <pre>
 * Q8_0   32 weights  | d | 32 x int8 q |                                w = d q
 * Q4_0   32 weights  | d | 16 bytes q |                                 w = d (q - 8)
 * Q4_1   32 weights  | d | m | 16 bytes q |                             w = d q + m
 *          byte i: weight i in the low 4 bits, weight i + 16 in the high 4
 * Q4_K  256 weights  | d | m | 12 bytes s, n | 128 bytes q |            w = d s_g q - m n_g, group g of 32
 *          bytes 32 j .. 32 j + 31 of q: group 2 j in the low 4 bits, group 2 j + 1 in the high 4
 * Q6_K  256 weights  | 128 bytes low | 64 bytes high | 16 x int8 s | d |  w = d s_g (q - 32), group g of 16
 *          q = 4 bits of low and 2 of high
 * CODES_8, CODES_4   int8 q, or two 4-bit q, the first in the low half                    w = q
 * </pre>
 */
final class Dequantizer {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Dequantizer() {}

    /**
     * The first {@code count} weights from {@code offset} on.
     *
     * @param offset byte in {@code memory} where a block starts
     * @param count a multiple of the type's block size
     * @param y receives them at {@code y[start ..]}
     */
    static void dequantize(DType type, MemorySegment memory, long offset, int count, float[] y, int start) {
        switch (type) {
            case F32 -> MemorySegment.copy(memory, FLOAT, offset, y, start, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    y[start + i] = half(memory, offset + 2L * i);
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    y[start + i] = Float.intBitsToFloat(memory.get(SHORT, offset + 2L * i) << 16);
                }
            }
            case CODES_8 -> {
                for (int i = 0; i < count; i++) {
                    y[start + i] = memory.get(ValueLayout.JAVA_BYTE, offset + i);
                }
            }
            case CODES_4 -> {
                for (int i = 0; i < count; i += 2) {
                    byte pair = memory.get(ValueLayout.JAVA_BYTE, offset + i / 2);
                    y[start + i] = (byte) (pair << 4) >> 4;
                    y[start + i + 1] = pair >> 4;
                }
            }
            default -> {
                for (int i = 0; i < count; i += type.blockSize()) {
                    block(type, memory, offset + type.bytes(i), y, start + i);
                }
            }
        }
    }

    private static void block(DType type, MemorySegment memory, long offset, float[] y, int at) {
        switch (type) {
            case Q8_0 -> q8(memory, offset, y, at);
            case Q4_0 -> q4(memory, offset + 2, half(memory, offset), -8 * half(memory, offset), y, at);
            case Q4_1 -> q4(memory, offset + 4, half(memory, offset), half(memory, offset + 2), y, at);
            case Q4_K -> q4k(memory, offset, y, at);
            case Q6_K -> q6k(memory, offset, y, at);
            case F32, F16, BF16, CODES_8, CODES_4 -> throw new IllegalArgumentException(type + " has no blocks");
        }
    }

    private static float half(MemorySegment memory, long offset) {
        return Float.float16ToFloat(memory.get(SHORT, offset));
    }

    private static int unsigned(MemorySegment memory, long offset) {
        return Byte.toUnsignedInt(memory.get(ValueLayout.JAVA_BYTE, offset));
    }

    private static void q8(MemorySegment memory, long block, float[] y, int at) {
        float scale = half(memory, block);
        for (int i = 0; i < 32; i++) {
            y[at + i] = scale * memory.get(ValueLayout.JAVA_BYTE, block + 2 + i);
        }
    }

    private static void q4(MemorySegment memory, long codes, float scale, float offset, float[] y, int at) {
        for (int i = 0; i < 16; i++) {
            int pair = unsigned(memory, codes + i);
            y[at + i] = scale * (pair & 15) + offset;
            y[at + i + 16] = scale * (pair >> 4) + offset;
        }
    }

    private static void q4k(MemorySegment memory, long block, float[] y, int at) {
        float scale = half(memory, block);
        float minimum = half(memory, block + 2);
        for (int group = 0; group < 8; group++) {
            float step = scale * scaleOfGroup(memory, block + 4, group);
            float offset = minimum * minimumOfGroup(memory, block + 4, group);
            long codes = block + 16 + group / 2 * 32;
            int shift = group % 2 * 4;
            for (int i = 0; i < 32; i++) {
                int q = unsigned(memory, codes + i) >> shift & 15;
                y[at + 32 * group + i] = step * q - offset;
            }
        }
    }

    /** Groups 0-3: the low 6 bits of byte g. Groups 4-7: the low half of byte g + 4, and above it the spare bits of byte g - 4. */
    private static int scaleOfGroup(MemorySegment memory, long s, int g) {
        return g < 4
                ? unsigned(memory, s + g) & 63
                : unsigned(memory, s + g + 4) & 15 | unsigned(memory, s + g - 4) >> 6 << 4;
    }

    /** Groups 0-3: the low 6 bits of byte g + 4. Groups 4-7: the high half of byte g + 4, and above it the spare bits of byte g. */
    private static int minimumOfGroup(MemorySegment memory, long s, int g) {
        return g < 4
                ? unsigned(memory, s + g + 4) & 63
                : unsigned(memory, s + g + 4) >> 4 | unsigned(memory, s + g) >> 6 << 4;
    }

    /** Each half of 128 weights has 64 low bytes (byte l: weights l and l + 64) and 32 high bytes (byte l: weights l, l + 32, l + 64, l + 96). */
    private static void q6k(MemorySegment memory, long block, float[] y, int at) {
        float scale = half(memory, block + 208);
        for (int i = 0; i < 256; i++) {
            int half = i / 128;
            int l = i % 128;
            int low = unsigned(memory, block + 64 * half + l % 64) >> (l / 64 * 4) & 15;
            int high = unsigned(memory, block + 128 + 32 * half + l % 32) >> (l / 32 * 2) & 3;
            int groupScale = memory.get(ValueLayout.JAVA_BYTE, block + 192 + i / 16);
            y[at + i] = scale * groupScale * ((high << 4 | low) - 32);
        }
    }
}
