package dev.obr.kernels.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vectors of this machine, and what the Vector API lacks for them: half floats, the exponential function, weighted sums of rows.
 *
 * <p>One float vector has 4 to 16 lanes. Species are constants, without which nothing here becomes a machine instruction; for the same reason narrow vectors are loaded with exactly the
 * lanes that one float vector has, and conversions never take a part other than 0.
 */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = VectorSpecies.of(
            float.class, VectorShape.forBitSize(Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512)));

    /** Floats in one vector. */
    static final int LENGTH = FLOATS.length();

    static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    /** Bytes for one float vector; twice as many where that would be less than the narrowest species. */
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, FLOATS.vectorBitSize() / 4)));
    /** A byte array that {@link #codes} reads to its end has this many bytes behind it. */
    static final int PADDING = 16;

    private Lanes() {}

    /** The sum of all lanes in their order; that of {@code reduceLanes} has another order once it is compiled. */
    static float sum(FloatVector v) {
        float sum = 0;
        for (float lane : v.toArray()) {
            sum += lane;
        }
        return sum;
    }

    /** {@link #LENGTH} little-endian floats. */
    static FloatVector floats(MemorySegment memory, long offset) {
        return FloatVector.fromMemorySegment(FLOATS, memory, offset, ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * {@link #LENGTH} half floats. Scaling by 2^112 moves the exponent's bias from 15 to 127 and normalises subnormals; infinities and NaNs (magnitude 0x7c00 or more, found by the sign of a
     * difference) then get the exponent they lack.
     */
    static FloatVector halves(MemorySegment memory, long offset) {
        IntVector bits = shorts(memory, offset);
        IntVector magnitude = bits.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
        IntVector special = magnitude
                .lanewise(VectorOperators.NEG)
                .add((0x7c00 << 13) - 1)
                .lanewise(VectorOperators.ASHR, 31)
                .and(0x7f800000);
        return magnitude
                .reinterpretAsFloats()
                .mul(0x1p112f)
                .reinterpretAsInts()
                .or(special)
                .or(bits.and(0x80000000))
                .reinterpretAsFloats();
    }

    /** {@link #LENGTH} bfloat16: the upper halves of floats. */
    static FloatVector bfloats(MemorySegment memory, long offset) {
        return shorts(memory, offset).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static IntVector shorts(MemorySegment memory, long offset) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, memory, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, INTS, 0);
    }

    /** {@link #LENGTH} bytes as integers 0..255. */
    static IntVector codes(byte[] bytes, int at) {
        return (IntVector)
                ByteVector.fromArray(BYTES, bytes, at).convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
    }

    /** {@link #LENGTH} bytes as integers -128..127. */
    static IntVector signedCodes(byte[] bytes, int at) {
        return (IntVector) ByteVector.fromArray(BYTES, bytes, at).convertShape(VectorOperators.B2I, INTS, 0);
    }

    static FloatVector toFloats(IntVector v) {
        return (FloatVector) v.convert(VectorOperators.I2F, 0);
    }

    /**
     * e^x within 2 units of rounding. x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7; 2^n is put into the exponent. Clamped to the range of normal floats; a NaN
     * stays one.
     */
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(-87f).min(88f);
        FloatVector shifted = clamped.mul(1.44269504f).add(0x1.8p23f); // rounds to an integer, in the low bits
        FloatVector n = shifted.sub(0x1.8p23f);
        FloatVector r = clamped.sub(n.mul(0x1.62e4p-1f)).sub(n.mul(0x1.7f7d1cp-20f)); // ln 2 in two parts
        FloatVector p = r.mul(1f / 5040).add(1f / 720);
        p = fma(p, r, 1f / 120);
        p = fma(p, r, 1f / 24);
        p = fma(p, r, 1f / 6);
        p = fma(p, r, 0.5f);
        p = fma(p, r, 1f);
        p = fma(p, r, 1f);
        return p.mul(shifted.reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, 23)
                .add(0x3f800000)
                .reinterpretAsFloats());
    }

    /** sums[to .. to + n) += weight · row[from .. from + n). */
    static void addWeighted(float weight, float[] row, int from, float[] sums, int to, int n) {
        int i = 0;
        for (; i + LENGTH <= n; i += LENGTH) {
            FloatVector sum = FloatVector.fromArray(FLOATS, sums, to + i);
            FloatVector.fromArray(FLOATS, row, from + i)
                    .fma(FloatVector.broadcast(FLOATS, weight), sum)
                    .intoArray(sums, to + i);
        }
        for (; i < n; i++) {
            sums[to + i] += weight * row[from + i];
        }
    }

    private static FloatVector fma(FloatVector a, FloatVector b, float c) {
        return a.fma(b, FloatVector.broadcast(FLOATS, c));
    }
}
