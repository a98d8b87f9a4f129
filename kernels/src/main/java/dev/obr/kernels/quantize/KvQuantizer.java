package dev.obr.kernels.quantize;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Asymmetric codes of one head's key or value of one token, as they lie in the cache:
 *
 * <pre>
 *   | codes, headDim · bits / 8 bytes | scale fp16 | zero, unsigned byte | 0 |       4 bits: component 2i in the low half of byte i
 *
 *   lo = min(0, min x), hi = max(0, max x)       scale = fp16((hi - lo) / q), zero = rint(-lo / scale)       q = 2^bits - 1
 *   code = clamp(rint(x / scale) + zero, 0, q)   x' = scale · (code - zero)                                  all 0: lo = -1, hi = 1
 * </pre>
 *
 * @param bits of a code, 4 or 8
 * @param headDim components of a head, even
 */
public record KvQuantizer(int bits, int headDim) {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public KvQuantizer {
        if (bits != 4 && bits != 8 || headDim < 2 || headDim % 2 != 0) {
            throw new IllegalArgumentException(bits + "-bit codes of heads of " + headDim + " components");
        }
    }

    /** Bytes of one head's key or value. */
    public int byteSize() {
        return headDim * bits / 8 + 4;
    }

    /**
     * Quantises {@code x[at .. at + headDim)} into {@code byteSize()} bytes of {@code memory} at {@code offset}; x becomes what {@link #expand} will give.
     */
    public void store(float[] x, int at, MemorySegment memory, long offset) {
        float lo = 0;
        float hi = 0;
        for (int i = at; i < at + headDim; i++) {
            lo = Math.min(lo, x[i]);
            hi = Math.max(hi, x[i]);
        }
        if (lo == 0 && hi == 0) {
            lo = -1;
            hi = 1;
        }
        int q = (1 << bits) - 1;
        float scale = Float.float16ToFloat(Float.floatToFloat16((hi - lo) / q));
        if (scale == 0 || Float.isInfinite(scale)) {
            scale = scale == 0 ? Float.float16ToFloat((short) 1) : 65504;
        }
        int zero = (int) Math.clamp(Math.rint(-lo / scale), 0, q);
        for (int i = 0; i < headDim; i++) {
            int code = (int) Math.clamp(Math.rint(x[at + i] / scale) + zero, 0, q);
            x[at + i] = scale * (code - zero);
            put(memory, offset, i, code);
        }
        memory.set(SHORT, offset + headDim * bits / 8, Float.floatToFloat16(scale));
        memory.set(ValueLayout.JAVA_BYTE, offset + headDim * bits / 8 + 2, (byte) zero);
        memory.set(ValueLayout.JAVA_BYTE, offset + headDim * bits / 8 + 3, (byte) 0);
    }

    private void put(MemorySegment memory, long offset, int i, int code) {
        if (bits == 8) {
            memory.set(ValueLayout.JAVA_BYTE, offset + i, (byte) code);
        } else if (i % 2 == 0) {
            memory.set(ValueLayout.JAVA_BYTE, offset + i / 2, (byte) code);
        } else {
            byte low = memory.get(ValueLayout.JAVA_BYTE, offset + i / 2);
            memory.set(ValueLayout.JAVA_BYTE, offset + i / 2, (byte) (low | code << 4));
        }
    }

    /** Code {@code i} of the bytes at {@code offset}. */
    public int code(MemorySegment memory, long offset, int i) {
        int pair = Byte.toUnsignedInt(memory.get(ValueLayout.JAVA_BYTE, offset + (long) i * bits / 8));
        return bits == 8 ? pair : pair >> i % 2 * 4 & 15;
    }

    /** The scale of the bytes at {@code offset}. */
    public float scale(MemorySegment memory, long offset) {
        return Float.float16ToFloat(memory.get(SHORT, offset + headDim * bits / 8));
    }

    /** The zero of the bytes at {@code offset}. */
    public int zero(MemorySegment memory, long offset) {
        return Byte.toUnsignedInt(memory.get(ValueLayout.JAVA_BYTE, offset + headDim * bits / 8 + 2));
    }

    /** The {@code headDim} floats that the bytes at {@code offset} stand for, to {@code x[at ..]}. */
    public void expand(MemorySegment memory, long offset, float[] x, int at) {
        float scale = scale(memory, offset);
        int zero = zero(memory, offset);
        for (int i = 0; i < headDim; i++) {
            x[at + i] = scale * (code(memory, offset, i) - zero);
        }
    }
}
