package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.LaunchShape;
import java.util.List;
import java.util.Random;

/** Programs that compute with one number at a time: half floats, wide integers, doubles, bits, mathematics. */
final class ArithmeticPrograms {
    private ArithmeticPrograms() {}

    static List<CudaProgram> all() {
        return List.of(halfPairs(), bfloatColumns(), longs(), doubles(), bits(), functions(), conversions());
    }

    private static CudaProgram halfPairs() {
        int n = 50; // pairs
        Random random = new Random(1);
        short[][] x = new short[3][2 * n];
        for (short[] operand : x) {
            for (int i = 0; i < 2 * n; i++) {
                operand[i] = Float.floatToFloat16(random.nextInt(-1024, 1024) / 64f);
            }
        }
        x[0][7] = Float.floatToFloat16(60000);
        x[1][7] = Float.floatToFloat16(-3);
        x[0][8] = (short) 0x7c00; // infinity
        x[1][9] = (short) 0x0001; // the least
        x[0][10] = Float.floatToFloat16(0.0009765625f);
        x[1][10] = Float.floatToFloat16(0.0009765625f);
        short[] y = new short[8 * n];
        for (int i = 0; i < 2 * n; i++) {
            float p = Float.float16ToFloat(x[0][i]);
            float q = Float.float16ToFloat(x[1][i]);
            float r = Float.float16ToFloat(x[2][i]);
            y[i] = Float.floatToFloat16(
                    (float) ((double) p * q + r)); // the operands are such that a float holds the sum
            y[2 * n + i] = Float.floatToFloat16(p - q);
            y[4 * n + i] = Float.floatToFloat16(p < r ? Math.max(p, q) : Math.abs(p));
            y[6 * n + i] = Float.floatToFloat16(p * 0.25f);
        }
        return new CudaProgram("halves", "half_pairs", LaunchShape.of(2, 32, 0))
                .in(x[0])
                .in(x[1])
                .in(x[2])
                .out(y)
                .i32(n);
    }

    private static CudaProgram bfloatColumns() {
        int rows = 40;
        int cols = 20;
        short[] x = new short[rows * cols];
        float[] y = new float[cols];
        Random random = new Random(2);
        for (int i = 0; i < x.length; i++) {
            float value = random.nextInt(-20, 128) / 8f;
            x[i] = (short) (Float.floatToRawIntBits(value) >>> 16);
            int bits = Float.floatToRawIntBits(y[i % cols] + value);
            bits += 0x7fff + (bits >>> 16 & 1); // to the nearest bfloat, ties to even
            y[i % cols] = Float.intBitsToFloat(bits & 0xffff0000);
        }
        return new CudaProgram("halves", "bfloat_columns", LaunchShape.of(1, 32, 0))
                .in(x)
                .out(y)
                .i32(rows)
                .i32(cols / 2);
    }

    private static CudaProgram longs() {
        int n = 70;
        Random random = new Random(3);
        long[] a = new long[n];
        long[] b = new long[n];
        long[] y = new long[12 * n];
        for (int i = 0; i < n; i++) {
            a[i] = random.nextLong() >> random.nextInt(64);
            b[i] = random.nextLong() >> random.nextInt(64);
        }
        b[4] = 0;
        a[5] = Long.MIN_VALUE;
        b[6] = 63;
        for (int i = 0; i < n; i++) {
            long p = a[i];
            long q = b[i];
            int shift = (int) (q & 63);
            boolean below = Long.compareUnsigned(p, q) < 0;
            y[i] = p * q + (p ^ q >> 7);
            y[n + i] = q == 0 ? 0 : p / q;
            y[2 * n + i] = q == 0 ? 0 : p % q;
            y[3 * n + i] = q == 0 ? 0 : Long.divideUnsigned(p, q);
            y[4 * n + i] = q == 0 ? 0 : Long.remainderUnsigned(p, q);
            y[5 * n + i] = Math.multiplyHigh(p, q);
            y[6 * n + i] = Math.unsignedMultiplyHigh(p, q);
            y[7 * n + i] = p << shift | p >>> 63 - shift;
            y[8 * n + i] = p >> shift;
            int first = p == 0 ? 0 : Long.numberOfTrailingZeros(p) + 1;
            y[9 * n + i] = (p < q ? 1 : 0)
                    + (below ? 2 : 0)
                    + (p == q ? 4 : 0)
                    + 8 * Long.bitCount(p)
                    + 1024 * Long.numberOfLeadingZeros(q)
                    + (first << 20);
            y[10 * n + i] = Long.reverse(p) + Math.min(p, q) - (below ? q : p);
            y[11 * n + i] = (long) (int) p * (int) q + Math.abs((long) (short) q);
        }
        return new CudaProgram("wide", "longs", LaunchShape.of(3, 32, 0))
                .in(a)
                .in(b)
                .out(y)
                .i32(n);
    }

    private static CudaProgram doubles() {
        int n = 45;
        Random random = new Random(4);
        double[] a = random.doubles(n, -1e6, 1e6).toArray();
        double[] b = random.doubles(n, -50, 50).toArray();
        a[3] = 2.5;
        a[4] = -3.5;
        b[5] = 0;
        a[6] = 0x1p-1074;
        b[7] = -0.0;
        a[8] = 4e9;
        double[] y = new double[11 * n];
        for (int i = 0; i < n; i++) {
            double p = a[i];
            double q = b[i];
            double whole = q < 0 ? Math.ceil(q) : Math.floor(q);
            y[i] = Math.fma(p, q, -q);
            y[n + i] = p * q + p;
            y[2 * n + i] = p / q;
            y[3 * n + i] = Math.sqrt(Math.abs(p));
            y[4 * n + i] = (float) p;
            y[5 * n + i] = (double) (long) p + (int) q;
            y[6 * n + i] = Math.rint(p) + Math.floor(q) - Math.ceil(p) + whole;
            y[7 * n + i] = p < q ? Math.min(p, 3) : Math.max(q, -3);
            y[8 * n + i] = (double) (long) Math.abs(p) + (long) Math.abs(q);
            y[9 * n + i] = -p;
            y[10 * n + i] = Double.longBitsToDouble(
                    Double.doubleToRawLongBits(p) & ~0xffffffffL | Double.doubleToRawLongBits(q) & 0xffffffffL);
        }
        return new CudaProgram("wide", "doubles", LaunchShape.of(1, 64, 0))
                .in(a)
                .in(b)
                .out(y)
                .i32(n);
    }

    private static CudaProgram bits() {
        int n = 90;
        Random random = new Random(5);
        int[] a = random.ints(n).toArray();
        int[] b = random.ints(n).toArray();
        a[3] = 0;
        b[3] = 0;
        a[4] = -1;
        b[4] = 32;
        a[5] = 32;
        b[5] = 63;
        int[] y = new int[16 * n];
        for (int i = 0; i < n; i++) {
            System.arraycopy(bits(a[i], b[i]), 0, y, 16 * i, 16);
        }
        return new CudaProgram("bits", "bits", LaunchShape.of(3, 32, 0))
                .in(a)
                .in(b)
                .out(y)
                .i32(n);
    }

    private static int[] bits(int p, int q) {
        long both = (long) q << 32 | Integer.toUnsignedLong(p);
        long unsignedP = Integer.toUnsignedLong(p);
        long unsignedQ = Integer.toUnsignedLong(q);
        int[] out = new int[16];
        int first = p == 0 ? 0 : Integer.numberOfTrailingZeros(p) + 1;
        out[0] = Integer.bitCount(p) + 64 * Integer.numberOfLeadingZeros(q) + 4096 * first;
        out[1] = Integer.reverse(p);
        out[2] = permuted(both, 0x7531) ^ permuted(both, q & 0x7777);
        out[3] = (int) (both << (p & 31) >>> 32);
        out[4] = (int) (both >>> (q & 31));
        int left = (p & 63) > 32 ? 32 : p & 63;
        int right = (q & 63) > 32 ? 32 : q & 63;
        out[5] = (int) (both << left >>> 32) + (int) (both >>> right);
        out[6] = (p << (q & 31)) + (p >>> (q >>> 27)) + (p >> (q >>> 27));
        out[7] = (int) ((long) p * q >> 32) ^ (int) (unsignedP * unsignedQ >>> 32);
        int signed = 5;
        int unsigned = 7;
        int sums = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            int bp = p >>> shift & 0xff;
            int bq = q >>> shift & 0xff;
            signed += (byte) bp * (byte) bq;
            unsigned += bp * bq;
            sums |= (bp + bq & 0xff ^ Math.abs((byte) bp - (byte) bq)) << shift;
        }
        out[8] = signed ^ unsigned;
        out[9] = p & q | (~p & q >>> 3) ^ (p | ~q); // ^ binds stronger than |, as in C
        out[10] = (p < q ? q - p : p - q) + 9 + (unsignedP < unsignedQ ? q - p : p - q) + 1;
        out[11] = (byte) p + (q & 0xffff) + (p >>> 8 & 0xff) * 3 + (q << 12 >> 20);
        int greater = ((p & 0xffff) > (q & 0xffff) ? 0xffff : 0) | (p >>> 16 > q >>> 16 ? 0xffff0000 : 0);
        out[12] = sums ^ greater;
        out[13] = p & 0xfff00fff | (q & 0xff) << 12;
        out[14] = (int) ((long) p + q + 1 >> 1) ^ (int) (unsignedP + unsignedQ >> 1);
        out[15] = (q != 0 ? (int) (unsignedP / unsignedQ) : 1)
                + (q != 0 ? (int) (unsignedP % unsignedQ) : 2) * 3
                + (q != 0 ? (p >>> 1) / (q | 1) : 4)
                + (int) (unsignedP / 10)
                + (int) (unsignedQ % 1000);
        return out;
    }

    /** Bytes of eight, as the selector's nibbles name them. */
    private static int permuted(long bytes, int selector) {
        int chosen = 0;
        for (int i = 3; i >= 0; i--) {
            chosen = chosen << 8 | (int) (bytes >>> 8 * (selector >>> 4 * i & 7) & 0xff);
        }
        return chosen;
    }

    private static CudaProgram functions() {
        int n = 40;
        float[] x = Numbers.floats(n, -6, 6, 6);
        x[3] = 0;
        x[4] = 123456.7f; // the slow path of the circle functions
        x[5] = -3e8f;
        x[6] = 1e-6f;
        float[] y = new float[12 * n];
        for (int i = 0; i < n; i++) {
            double v = x[i];
            double p = Math.abs(x[i]) + 0.5f;
            double[] results = {
                Math.sin(v),
                Math.cos(x[i] * 1000f),
                Math.log(p),
                Math.pow(p, 0.3f),
                Math.tanh(v),
                errorFunction(v),
                Math.sqrt(p),
                1 / Math.sqrt(p),
                1 / (1 + Math.exp(-v)),
                v * 0.7f / p,
                Math.pow(2, v) + Math.log(p) / Math.log(2),
                Math.atan2(v, p) + v % 0.75
            };
            for (int j = 0; j < 12; j++) {
                y[12 * i + j] = (float) results[j];
            }
        }
        return new CudaProgram("mathematics", "functions", LaunchShape.of(1, 64, 0))
                .in(x)
                .near(y, 2e-6)
                .i32(n);
    }

    /** By its power series, whose terms stay small enough for |v| below 4. */
    private static double errorFunction(double v) {
        if (Math.abs(v) > 4) {
            return Math.signum(v);
        }
        double term = v;
        double sum = 0;
        for (int i = 0; Math.abs(term) > 1e-20; i++) {
            sum += term / (2 * i + 1);
            term *= -v * v / (i + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }

    private static CudaProgram conversions() {
        float[] x = {
            0,
            -0.0f,
            0.5f,
            1.5f,
            2.5f,
            -0.5f,
            -1.5f,
            0.3f,
            -7.7f,
            1e9f,
            -3e9f,
            3e9f,
            5e9f,
            -1e20f,
            1e20f,
            16777217,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.NaN,
            Float.MIN_VALUE,
            Float.MAX_VALUE,
            0.99999994f
        };
        int[] y = new int[12 * x.length];
        for (int i = 0; i < x.length; i++) {
            float v = x[i];
            int[] results = {
                (int) Math.rint(v),
                (int) v,
                (int) Math.ceil(v),
                (int) Math.floor(v),
                v >= 0x1p32f ? -1 : (int) Math.max(0, (long) Math.rint(v)),
                // No number becomes the least of 64 bits.
                (int) ((Float.isNaN(v) ? Long.MIN_VALUE : (long) v) >> 16),
                Float.floatToRawIntBits((float) Math.rint(v)),
                Float.floatToRawIntBits(Float.isNaN(v) ? 0 : v > 0 ? Math.min(v, 1) : 0f),
                Float.floatToRawIntBits(towardsZero(Float.floatToRawIntBits(v))),
                Float.floatToRawIntBits((float) Integer.toUnsignedLong(Float.floatToRawIntBits(v))),
                (Float.isNaN(v) ? 1 : 4)
                        + (Float.isInfinite(v) ? 2 : 0)
                        + (v < 1 ? 8 : 0)
                        + (v >= 1 ? 0 : 16)
                        + (Float.floatToRawIntBits(v) < 0 ? 32 : 0),
                Float.floatToRawIntBits(Math.copySign(3, v) + (Float.isNaN(v) ? 2 : Math.min(v, 2)))
            };
            System.arraycopy(results, 0, y, 12 * i, 12);
        }
        // A number that is none has many bit patterns; the device's is this one.
        y[12 * 18 + 6] = 0x7fffffff;
        return new CudaProgram("mathematics", "conversions", LaunchShape.of(1, 32, 0))
                .in(x)
                .out(y)
                .i32(x.length);
    }

    private static float towardsZero(int value) {
        float near = value;
        return Math.abs((double) near) > Math.abs((double) value) ? Math.nextAfter(near, 0) : near;
    }
}
