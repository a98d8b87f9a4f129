package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.MmaShape.Element;

/**
 * What the tensor cores compute: D = A . B + C over the registers of one warp, by the fragment layouts of the PTX manual.
 *
 * <p>A register operand is an array with register r of lane l at {@code 32 * r + l}. With g = lane / 4, t = lane % 4 and n elements to a register, lowest bits first:
 *
 * <pre>
 *   A   register r, element i   row g + 8 (r % 2)   column n t + 4 n (r / 2) + i    (8 rows: one register, row g)
 *   B   register r, element i   row n t + 4 n r + i   column g
 *   C D element j of a lane     row g + 8 (j / 2)   column 2 t + j % 2              (two halves to a register where they are f16)
 * </pre>
 *
 * <p>A sparse A holds the kept columns only, laid out as a dense matrix of half the width. Of every four slots (a slot is one column of 8-bit elements, an aligned pair of 4-bit ones) two are
 * kept; a nibble of metadata names the first in its low bits and the second in its high ones. A metadata word covers eight such chunks of one row: with two pieces to a row those of row g + 8h,
 * piece p come from lane 4 g + 2 p + h, with one piece from lane 4 g + 2 f + h, f the selector. Other lanes' metadata is not looked at.
 *
 * <p>Integer sums are exact and wrapped, or clamped, at the end. Sums of 16-bit floats are taken in double precision, C first, then by column, and rounded to the accumulator's type at the end
 * (f16 by way of f32); the hardware's order and its intermediate precision are unspecified.
 */
final class TensorCores {
    static final int LANES = 32;

    private TensorCores() {}

    /**
     * Multiplies.
     *
     * @param a {@link MmaShape#aRegisters} registers
     * @param b {@link MmaShape#bRegisters} registers
     * @param c {@link MmaShape#cRegisters} registers
     * @param metadata one register; not looked at where the shape is dense
     * @param selector whose metadata counts; 0 where the shape is dense
     * @param d takes the result; may be {@code c}
     * @throws ObrException if a chunk's metadata does not name two different slots, or not in ascending order where the shape demands it, or the shape has no such selector
     */
    static void multiply(MmaShape shape, int[] a, int[] b, int[] c, int[] metadata, int selector, int[] d) {
        if (!shape.a().integer()) {
            multiplyFloats(shape, a, b, c, d);
            return;
        }
        if (shape.sparse() && (selector < 0 || selector >= shape.selectors())) {
            throw new ObrException("the sparsity selector of " + shape + " is " + selector + ", but must be "
                    + (shape.selectors() == 1 ? "0" : "0 or 1"));
        }
        Columns columns = Columns.of(shape.a());
        long[] packed = columns.pack(shape, b); // B [k, 8]
        long[] sums = new long[shape.m() * columns.longs()]; // A . B [m, 8]
        for (int r = 0; r < shape.aRegisters(); r++) {
            int row = shape.m() == 16 ? 8 * (r & 1) : 0;
            int piece = shape.m() == 16 ? r >> 1 : r;
            for (int lane = 0; lane < LANES; lane++) {
                int g = lane >> 2;
                int t = lane & 3;
                int register = a[LANES * r + lane];
                int at = (row + g) * columns.longs();
                if (shape.sparse()) {
                    int source = 4 * g + (row >> 3) + 2 * (shape.halves() == 2 ? piece : selector);
                    // This register's 2n columns are the word's chunks 2t and 2t + 1.
                    int chunks = metadata[source] >>> (8 * t) & 0xff;
                    check(shape, chunks & 15, source, 2 * t);
                    check(shape, chunks >> 4, source, 2 * t + 1);
                    columns.addSparse(shape.a(), register, chunks, 4 * piece + t, packed, sums, at);
                } else {
                    columns.addDense(shape.a(), register, 4 * piece + t, packed, sums, at);
                }
            }
        }
        columns.store(shape, sums, c, d);
    }

    private static void check(MmaShape shape, int nibble, int lane, int chunk) {
        int first = nibble & 3;
        int second = nibble >> 2;
        if (first == second || (shape.ordered() && first > second)) {
            throw new ObrException(
                    "illegal sparsity metadata 0x" + Integer.toHexString(nibble) + " for chunk " + chunk + " of lane "
                            + lane + "'s word: it must name two different slots of four"
                            + (shape.ordered() ? ", the lower one first" : ""));
        }
    }

    /** Element {@code i} of a register. */
    private static int element(Element type, int register, int i) {
        int top = 32 - type.bits();
        int shifted = register << (top - type.bits() * i);
        return type.signed() ? shifted >> top : shifted >>> top;
    }

    /**
     * Sums of products with several columns side by side in a long, each in as many bits as its largest sum needs with its sign: 64 products of nibbles fit in 16 bits, 32 products of bytes in
     * 32. A long is the exact sum of its columns, each shifted to its place, so one multiplication serves all of them.
     */
    private record Columns(int bits, int longs) {
        private static final Columns NIBBLES = new Columns(16, 2);
        private static final Columns BYTES = new Columns(32, 4);

        static Columns of(Element type) {
            return type.bits() == 4 ? NIBBLES : BYTES;
        }

        /** B [k, 8], by rows. */
        long[] pack(MmaShape shape, int[] b) {
            long[] packed = new long[shape.k() * longs];
            Element type = shape.b();
            int n = type.perRegister();
            int perLong = 8 / longs;
            for (int r = 0; r < shape.bRegisters(); r++) {
                for (int lane = 0; lane < LANES; lane++) {
                    int g = lane >> 2;
                    int at = n * (4 * r + (lane & 3)) * longs + g / perLong;
                    int place = g % perLong * bits;
                    int register = b[LANES * r + lane];
                    for (int i = 0; i < n; i++) {
                        packed[at + i * longs] += (long) element(type, register, i) << place;
                    }
                }
            }
            return packed;
        }

        /** Adds the products of one register's elements; {@code quarter} counts the registers of a row from the left. */
        void addDense(Element type, int register, int quarter, long[] packed, long[] sums, int at) {
            int n = type.perRegister();
            for (int i = 0; i < n; i++) {
                add(element(type, register, i), (n * quarter + i) * longs, packed, sums, at);
            }
        }

        void addSparse(Element type, int register, int chunks, int quarter, long[] packed, long[] sums, int at) {
            int n = type.perRegister();
            int width = type.bits() == 4 ? 2 : 1; // columns of a slot
            for (int slot = 0; slot < 4; slot++) {
                int column = 2 * n * quarter + width * (4 * (slot >> 1) + (chunks >> (2 * slot) & 3));
                for (int i = 0; i < width; i++) {
                    add(element(type, register, width * slot + i), (column + i) * longs, packed, sums, at);
                }
            }
        }

        private void add(int value, int from, long[] packed, long[] sums, int at) {
            for (int l = 0; l < longs; l++) {
                sums[at + l] += value * packed[from + l];
            }
        }

        /** D = sums + C. */
        void store(MmaShape shape, long[] sums, int[] c, int[] d) {
            for (int at = 0; at < sums.length; at++) {
                long rest = sums[at];
                int row = at / longs;
                for (int j = 0; j < 8 / longs; j++) {
                    int column = at % longs * (8 / longs) + j;
                    long sum = rest << (64 - bits) >> (64 - bits);
                    rest = (rest - sum) >> bits;
                    int register = 2 * (row >> 3) + (column & 1);
                    int i = LANES * register + 4 * (row & 7) + (column >> 1);
                    long exact = sum + c[i];
                    d[i] = shape.saturating() ? Math.clamp(exact, Integer.MIN_VALUE, Integer.MAX_VALUE) : (int) exact;
                }
            }
        }
    }

    private static void multiplyFloats(MmaShape shape, int[] a, int[] b, int[] c, int[] d) {
        int k = shape.k();
        float[] left = new float[16 * k]; // A [16, k]
        float[] right = new float[8 * k]; // B transposed [8, k]
        for (int lane = 0; lane < LANES; lane++) {
            int g = lane >> 2;
            int t = lane & 3;
            for (int r = 0; r < shape.aRegisters(); r++) {
                int at = (g + 8 * (r & 1)) * k + 2 * t + 8 * (r >> 1);
                left[at] = widen(shape.a(), a[LANES * r + lane]);
                left[at + 1] = widen(shape.a(), a[LANES * r + lane] >>> 16);
            }
            for (int r = 0; r < shape.bRegisters(); r++) {
                int at = g * k + 2 * t + 8 * r;
                right[at] = widen(shape.b(), b[LANES * r + lane]);
                right[at + 1] = widen(shape.b(), b[LANES * r + lane] >>> 16);
            }
        }
        boolean halves = shape.accumulator() == Element.F16;
        for (int lane = 0; lane < LANES; lane++) {
            for (int pair = 0; pair < 2; pair++) { // two columns of row g, then of row g + 8
                int row = (lane >> 2) + 8 * pair;
                int column = 2 * (lane & 3);
                if (halves) {
                    int i = LANES * pair + lane;
                    float low = dot(widen(Element.F16, c[i]), left, row * k, right, column * k, k);
                    float high = dot(widen(Element.F16, c[i] >>> 16), left, row * k, right, (column + 1) * k, k);
                    d[i] = Float.floatToFloat16(low) & 0xffff | Float.floatToFloat16(high) << 16;
                } else {
                    for (int j = 0; j < 2; j++) {
                        int i = LANES * (2 * pair + j) + lane;
                        float sum = dot(Float.intBitsToFloat(c[i]), left, row * k, right, (column + j) * k, k);
                        d[i] = Float.floatToRawIntBits(sum);
                    }
                }
            }
        }
    }

    private static float dot(float c, float[] left, int row, float[] right, int column, int k) {
        double sum = c;
        for (int i = 0; i < k; i++) {
            sum += (double) left[row + i] * right[column + i];
        }
        return (float) sum;
    }

    /** The value of the low half of a register. */
    private static float widen(Element type, int register) {
        return type == Element.F16 ? Float.float16ToFloat((short) register) : Float.intBitsToFloat(register << 16);
    }
}
