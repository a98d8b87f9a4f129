package dev.obr.bench;

import dev.obr.kernels.DType;
import dev.obr.models.file.TensorBytes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Random;

/**
 * Normally distributed weights, made as fast as a disk takes them: 65536 samples are drawn and encoded once, then picked at random, four with each 64-bit random number.
 *
 * <p>Equal seeds give equal weights.
 */
final class RandomWeights {
    private static final int SAMPLES = 1 << 16;
    private static final int CHUNK_BYTES = 1 << 20;

    private final DType type;
    private final int[] samples = new int[SAMPLES]; // encoded bits
    private long state;

    /**
     * @param type F32, F16 or BF16
     * @param deviation standard deviation of the weights
     */
    RandomWeights(DType type, float deviation, long seed) {
        this.type = type;
        this.state = seed * 0x9E3779B97F4A7C15L + 0x632BE59BD9B4E019L;
        Random random = new Random(seed);
        for (int i = 0; i < SAMPLES; i++) {
            samples[i] = encode((float) random.nextGaussian() * deviation);
        }
    }

    /** A tensor of random weights. */
    TensorBytes random(List<Integer> shape) {
        return out -> write(shape, out, true);
    }

    /** A tensor of ones: what norms begin with. */
    TensorBytes ones(List<Integer> shape) {
        return out -> write(shape, out, false);
    }

    private void write(List<Integer> shape, WritableByteChannel out, boolean random) throws IOException {
        long bytes = shape.stream().mapToLong(n -> n).reduce(type.blockBytes(), Math::multiplyExact);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chunk = arena.allocate(CHUNK_BYTES, 8);
            for (long written = 0; written < bytes; ) {
                int size = (int) Math.min(CHUNK_BYTES, bytes - written);
                if (random) {
                    fill(chunk);
                } else {
                    fillWith(chunk, encode(1));
                }
                ByteBuffer buffer = chunk.asSlice(0, size).asByteBuffer();
                while (buffer.hasRemaining()) {
                    written += out.write(buffer);
                }
            }
        }
    }

    /** Fills the whole chunk; a long holds four 16-bit weights, or two of 32. */
    private void fill(MemorySegment chunk) {
        boolean wide = type == DType.F32;
        long s = state;
        for (long i = 0; i < CHUNK_BYTES; i += wide ? 16 : 8) {
            // xorshift64*: passes far stricter tests than weights pose
            s ^= s >>> 12;
            s ^= s << 25;
            s ^= s >>> 27;
            long r = s * 0x2545F4914F6CDD1DL;
            int a = samples[(int) (r >>> 48)];
            int b = samples[(int) (r >>> 32) & 0xFFFF];
            int c = samples[(int) (r >>> 16) & 0xFFFF];
            int d = samples[(int) r & 0xFFFF];
            if (wide) {
                chunk.set(ValueLayout.JAVA_LONG, i, (a & 0xFFFFFFFFL) | ((long) b << 32));
                chunk.set(ValueLayout.JAVA_LONG, i + 8, (c & 0xFFFFFFFFL) | ((long) d << 32));
            } else {
                chunk.set(ValueLayout.JAVA_LONG, i, a | ((long) b << 16) | ((long) c << 32) | ((long) d << 48));
            }
        }
        state = s;
    }

    private void fillWith(MemorySegment chunk, int bits) {
        for (long i = 0; i < CHUNK_BYTES; i += type.blockBytes()) {
            if (type == DType.F32) {
                chunk.set(ValueLayout.JAVA_INT, i, bits);
            } else {
                chunk.set(ValueLayout.JAVA_SHORT, i, (short) bits);
            }
        }
    }

    /** The bits of a weight, in the low end of the result. */
    private int encode(float value) {
        return switch (type) {
            case F32 -> Float.floatToRawIntBits(value);
            case F16 -> Float.floatToFloat16(value) & 0xFFFF;
            case BF16 -> (Float.floatToRawIntBits(value) + 0x8000) >>> 16;
            default -> throw new IllegalArgumentException("random weights are F32, F16 or BF16, not " + type);
        };
    }
}
