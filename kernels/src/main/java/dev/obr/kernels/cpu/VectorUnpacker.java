package dev.obr.kernels.cpu;

import static dev.obr.kernels.cpu.Lanes.LENGTH;

import dev.obr.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Stored weights -> float32 with the Vector API: {@link Dequantizer}'s formulas, one vector at a time.
 *
 * <p>Blocks are copied to a byte array first: it has room behind its end for a vector that is wider than what is left, and a vector load from an array is one instruction at any address.
 * Every group that shares a scale has 16 or 32 weights, a whole number of vectors.
 *
 * <p>Not safe for threads: holds the bytes of the stretch at hand.
 */
final class VectorUnpacker {
    private byte[] bytes = new byte[0];

    /** {@code count} weights (a multiple of the block size) that start at byte {@code offset} -> {@code y[start ..]}. */
    void unpack(DType type, MemorySegment memory, long offset, int count, float[] y, int start) {
        switch (type) {
            case F32 -> MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, y, start, count);
            case F16 -> {
                int i = 0;
                for (; i + LENGTH <= count; i += LENGTH) {
                    Lanes.halves(memory, offset + 2L * i).intoArray(y, start + i);
                }
                Dequantizer.dequantize(type, memory, offset + 2L * i, count - i, y, start + i);
            }
            case BF16 -> {
                int i = 0;
                for (; i + LENGTH <= count; i += LENGTH) {
                    Lanes.bfloats(memory, offset + 2L * i).intoArray(y, start + i);
                }
                Dequantizer.dequantize(type, memory, offset + 2L * i, count - i, y, start + i);
            }
            case CODES_8 -> codes8(memory, offset, count, y, start);
            case CODES_4 -> Dequantizer.dequantize(type, memory, offset, count, y, start);
            default -> blocks(type, memory, offset, count, y, start);
        }
    }

    private void codes8(MemorySegment memory, long offset, int count, float[] y, int start) {
        copy(memory, offset, count);
        int i = 0;
        for (; i + LENGTH <= count; i += LENGTH) {
            Lanes.toFloats(Lanes.signedCodes(bytes, i)).intoArray(y, start + i);
        }
        for (; i < count; i++) {
            y[start + i] = bytes[i];
        }
    }

    private void copy(MemorySegment memory, long offset, int length) {
        if (bytes.length < length + Lanes.PADDING) {
            bytes = new byte[length + Lanes.PADDING];
        }
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, bytes, 0, length);
    }

    private void blocks(DType type, MemorySegment memory, long offset, int count, float[] y, int start) {
        int length = Math.toIntExact(type.bytes(count));
        copy(memory, offset, length);
        int at = start;
        for (int block = 0; block < length; block += type.blockBytes(), at += type.blockSize()) {
            switch (type) {
                case Q8_0 -> q8(block + 2, half(block), y, at);
                case Q4_0 -> q4(block + 2, half(block), -8 * half(block), y, at);
                case Q4_1 -> q4(block + 4, half(block), half(block + 2), y, at);
                case Q4_K -> q4k(block, y, at);
                case Q6_K -> q6k(block, y, at);
                default -> throw new IllegalArgumentException(type + " has no blocks");
            }
        }
    }

    private float half(int at) {
        return Float.float16ToFloat((short) (bytes[at] & 255 | bytes[at + 1] << 8));
    }

    private void q8(int codes, float scale, float[] y, int at) {
        for (int i = 0; i < 32; i += LENGTH) {
            Lanes.toFloats(Lanes.signedCodes(bytes, codes + i)).mul(scale).intoArray(y, at + i);
        }
    }

    private void q4(int codes, float scale, float offset, float[] y, int at) {
        for (int i = 0; i < 16; i += LENGTH) {
            IntVector pairs = Lanes.codes(bytes, codes + i);
            affine(pairs.and(15), scale, offset, y, at + i);
            affine(pairs.lanewise(VectorOperators.LSHR, 4), scale, offset, y, at + 16 + i);
        }
    }

    private void q4k(int block, float[] y, int at) {
        float scale = half(block);
        float minimum = half(block + 2);
        for (int g = 0; g < 8; g += 2) {
            float lowStep = scale * scaleOfGroup(block + 4, g);
            float highStep = scale * scaleOfGroup(block + 4, g + 1);
            float lowOffset = -minimum * minimumOfGroup(block + 4, g);
            float highOffset = -minimum * minimumOfGroup(block + 4, g + 1);
            for (int i = 0; i < 32; i += LENGTH) {
                IntVector pairs = Lanes.codes(bytes, block + 16 + 16 * g + i);
                affine(pairs.and(15), lowStep, lowOffset, y, at + 32 * g + i);
                affine(pairs.lanewise(VectorOperators.LSHR, 4), highStep, highOffset, y, at + 32 * g + 32 + i);
            }
        }
    }

    private int scaleOfGroup(int s, int g) {
        return g < 4 ? bytes[s + g] & 63 : bytes[s + g + 4] & 15 | (bytes[s + g - 4] & 0xc0) >> 2;
    }

    private int minimumOfGroup(int s, int g) {
        return g < 4 ? bytes[s + g + 4] & 63 : (bytes[s + g + 4] & 0xf0) >> 4 | (bytes[s + g] & 0xc0) >> 2;
    }

    private void q6k(int block, float[] y, int at) {
        float scale = half(block + 208);
        for (int half = 0; half < 2; half++) {
            int low = block + 64 * half;
            int high = block + 128 + 32 * half;
            for (int i = 0; i < 32; i += LENGTH) {
                int scales = block + 192 + 8 * half + i / 16;
                IntVector first = Lanes.codes(bytes, low + i);
                IntVector second = Lanes.codes(bytes, low + 32 + i);
                IntVector tops = Lanes.codes(bytes, high + i);
                int to = at + 128 * half + i;
                q6(first.and(15), tops.and(3), scale * bytes[scales], y, to);
                q6(
                        second.and(15),
                        tops.lanewise(VectorOperators.LSHR, 2).and(3),
                        scale * bytes[scales + 2],
                        y,
                        to + 32);
                q6(
                        first.lanewise(VectorOperators.LSHR, 4),
                        tops.lanewise(VectorOperators.LSHR, 4).and(3),
                        scale * bytes[scales + 4],
                        y,
                        to + 64);
                q6(
                        second.lanewise(VectorOperators.LSHR, 4),
                        tops.lanewise(VectorOperators.LSHR, 6),
                        scale * bytes[scales + 6],
                        y,
                        to + 96);
            }
        }
    }

    private static void q6(IntVector low, IntVector top, float step, float[] y, int at) {
        IntVector q = low.or(top.lanewise(VectorOperators.LSHL, 4)).sub(32);
        Lanes.toFloats(q).mul(step).intoArray(y, at);
    }

    private static void affine(IntVector q, float scale, float offset, float[] y, int at) {
        Lanes.toFloats(q).mul(scale).add(offset).intoArray(y, at);
    }
}
