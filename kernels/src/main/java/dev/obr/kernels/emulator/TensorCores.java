package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.MmaShape.Element;
import java.util.Arrays;

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

    /** Slots 0 to 3, two bits each. */
    private static final int IN_ORDER = 0xe4;

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
        if (shape.sparse()) {
            check(shape, metadata, selector);
        }
        multiplyIntegers(shape, a, b, c, metadata, selector, d);
    }

    private static void check(MmaShape shape, int[] metadata, int selector) {
        if (selector < 0 || selector >= shape.selectors()) {
            throw new ObrException("the sparsity selector of " + shape + " is " + selector + ", but must be "
                    + (shape.selectors() == 1 ? "0" : "0 or 1"));
        }
        for (int lane = 0; lane < LANES; lane++) {
            if (shape.selectors() == 1 || (lane & 3) >> 1 == selector) {
                checkWord(metadata[lane], lane, shape.ordered());
            }
        }
    }

    private static void checkWord(int word, int lane, boolean ordered) {
        if (legal(word, ordered)) {
            return;
        }
        int chunk = 0;
        while (legal(0x44444444 & ~15 | word >>> 4 * chunk & 15, ordered)) {
            chunk++;
        }
        throw new ObrException("illegal sparsity metadata 0x" + Integer.toHexString(word >>> 4 * chunk & 15)
                + " for chunk " + chunk + " of lane " + lane + "'s word: it must name two different slots of four"
                + (ordered ? ", the lower one first" : ""));
    }

    /** Whether all eight nibbles name two slots, looked at side by side: bit 0 of every nibble at once, and so on. */
    private static boolean legal(int word, boolean ordered) {
        int ones = 0x11111111;
        int first0 = word & ones;
        int first1 = word >>> 1 & ones;
        int second0 = word >>> 2 & ones;
        int second1 = word >>> 3 & ones;
        int differ = first0 ^ second0 | first1 ^ second1;
        int ascend = second1 & ~first1 | ~(second1 ^ first1) & second0 & ~first0;
        return (ordered ? ascend : differ) == ones;
    }

    /**
     * Several columns share a long, each in as many bits as its sums need with their sign: 64 products of nibbles fit in 16, 32 products of bytes in 32. Such a long is the exact sum of its
     * columns, each shifted to its place, so that one multiplication serves all of them: a pass takes two longs, all eight columns for nibbles and four for bytes.
     */
    private static void multiplyIntegers(
            MmaShape shape, int[] a, int[] b, int[] c, int[] metadata, int selector, int[] d) {
        int place = shape.a().bits() == 4 ? 16 : 32; // bits of a column's sum
        long[] packed = new long[2 * shape.k()]; // B [k, 2]
        long[] sums = new long[2 * shape.m()]; // A . B [m, 2]
        for (int column = 0; column < 8; column += 128 / place) {
            pack(shape, b, column, place, packed);
            add(shape, a, metadata, selector, packed, sums);
            store(shape, sums, column, place, c, d);
        }
    }

    /** B's columns from one on. */
    private static void pack(MmaShape shape, int[] b, int column, int place, long[] packed) {
        Arrays.fill(packed, 0);
        boolean nibbles = shape.b().bits() == 4;
        boolean signed = shape.b().signed();
        int width = nibbles ? 4 : 2; // longs that the rows of B in one byte of a register take
        for (int r = 0; r < shape.bRegisters(); r++) {
            for (int lane = 4 * column; lane < 4 * column + 512 / place; lane++) {
                int register = b[LANES * r + lane];
                int shift = place * ((lane >> 2) - column);
                // Java shifts a long by the low six bits: the second long's columns begin at bit 0 again.
                int at = 4 * width * (4 * r + (lane & 3)) + (shift >> 6);
                for (int i = 0; i < 4; i++) {
                    int codes = register >>> 8 * i;
                    if (nibbles) {
                        packed[at + width * i] += (long) nibble(codes, signed) << shift;
                        packed[at + width * i + 2] += (long) nibble(codes >>> 4, signed) << shift;
                    } else {
                        packed[at + width * i] += (long) whole(codes, signed) << shift;
                    }
                }
            }
        }
    }

    /** Adds A . B. Each byte of a register of A is a slot: two nibbles or one byte, at the columns that the metadata names or, dense, at its own. */
    private static void add(MmaShape shape, int[] a, int[] metadata, int selector, long[] packed, long[] sums) {
        boolean nibbles = shape.a().bits() == 4;
        boolean signed = shape.a().signed();
        boolean sparse = shape.sparse();
        int width = nibbles ? 4 : 2; // longs of a slot's columns
        for (int r = 0; r < shape.aRegisters(); r++) {
            int source = (r & 1) + 2 * (shape.halves() == 2 ? r >> 1 : selector);
            for (int lane = 0; lane < LANES; lane++) {
                int t = lane & 3;
                int register = a[LANES * r + lane];
                // The register's slots are two of chunk 2t and two of chunk 2t + 1 of the metadata word.
                int slots = sparse ? metadata[(lane & 28) + source] >>> 8 * t : IN_ORDER;
                int from = (sparse ? 8 : 4) * width * (4 * (r >> 1) + t);
                long low = 0;
                long high = 0;
                for (int i = 0; i < 4; i++) {
                    int slot = (slots >> 2 * i & 3) + (sparse && i > 1 ? 4 : 0);
                    int at = from + width * slot;
                    int codes = register >>> 8 * i;
                    if (nibbles) {
                        int first = nibble(codes, signed);
                        int second = nibble(codes >>> 4, signed);
                        low += first * packed[at] + second * packed[at + 2];
                        high += first * packed[at + 1] + second * packed[at + 3];
                    } else {
                        int value = whole(codes, signed);
                        low += value * packed[at];
                        high += value * packed[at + 1];
                    }
                }
                int row = (lane >> 2) + 8 * (r & 1);
                sums[2 * row] += low;
                sums[2 * row + 1] += high;
            }
        }
    }

    private static int nibble(int codes, boolean signed) {
        return signed ? codes << 28 >> 28 : codes & 15;
    }

    private static int whole(int codes, boolean signed) {
        return signed ? (byte) codes : codes & 0xff;
    }

    /** D = sums + C in the columns from one on; leaves zeros in the sums. */
    private static void store(MmaShape shape, long[] sums, int column, int place, int[] c, int[] d) {
        int perLong = 64 / place;
        for (int at = 0; at < sums.length; at++) {
            int row = at >> 1;
            long rest = sums[at];
            sums[at] = 0;
            for (int j = 0; j < perLong; j++) {
                int n = column + (at & 1) * perLong + j;
                long sum = rest << 64 - place >> 64 - place;
                rest = (rest - sum) >> place;
                int i = LANES * (2 * (row >> 3) + (n & 1)) + 4 * (row & 7) + (n >> 1);
                long exact = sum + c[i];
                d[i] = shape.saturating() ? Math.clamp(exact, Integer.MIN_VALUE, Integer.MAX_VALUE) : (int) exact;
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
