package dev.obr.kernels.hadamard;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/**
 * The orthogonal transform y = (H ⊗ S) x / √n of vectors of n = K · 2^k components: H the {@link HadamardMatrix} of order K, S Sylvester's of order 2^k in natural order.
 *
 * <pre>
 *   x as [K, 2^k]:   fast Walsh-Hadamard transform of every row, then H from the left, then 1/√n
 * </pre>
 *
 * <p>K is what QuaRot takes: the first of 172, 156, 140, 108, 60, 52, 36, 28, 40, 20, 12, 148 that divides n, or 1, if n / K is a power of two. Lengths for which that fails take
 * the smallest K that has a matrix (4864 = 76 · 64, 5632 = 44 · 128). The cost is n (k + K) additions.
 *
 * <p>Immutable and safe to share between threads.
 */
public final class HadamardTransform {
    private static final int[] QUAROT_ORDERS = {172, 156, 140, 108, 60, 52, 36, 28, 40, 20, 12, 148};

    /** Beyond it a dense factor would cost more than the linear layer that the transform serves. */
    private static final int MAX_FACTOR = 1024;

    private final int n;
    private final HadamardMatrix factor;
    private final HadamardMatrix transposed;

    private HadamardTransform(int n, HadamardMatrix factor) {
        this.n = n;
        this.factor = factor;
        this.transposed = factor.transposed();
    }

    /** The transform of vectors of {@code n} components, or nothing where there is none: 9, 14, 15, and most odd multiples of 1 and 2. */
    public static Optional<HadamardTransform> of(int n) {
        if (n < 1) {
            return Optional.empty();
        }
        int listed = 1;
        for (int order : QUAROT_ORDERS) {
            if (n % order == 0) {
                listed = order;
                break;
            }
        }
        if (Integer.bitCount(n / listed) == 1) {
            return HadamardMatrix.of(listed).map(matrix -> new HadamardTransform(n, matrix));
        }
        int odd = n / Integer.lowestOneBit(n);
        for (int order = 4 * odd; order <= Math.min(n, MAX_FACTOR) && n % order == 0; order *= 2) {
            Optional<HadamardMatrix> matrix = HadamardMatrix.of(order);
            if (matrix.isPresent()) {
                return Optional.of(new HadamardTransform(n, matrix.get()));
            }
        }
        return Optional.empty();
    }

    /** Components of a vector. */
    public int size() {
        return n;
    }

    /** H, whose order K is 1 where n is a power of two. */
    public HadamardMatrix factor() {
        return factor;
    }

    /** The vector at {@code x[offset .. offset + n)}, in place. */
    public void apply(float[] x, int offset) {
        applyAcross(x, offset, 1);
    }

    /** The vector of n floats (native byte order) that starts at byte {@code offset} of {@code memory}, in place. */
    public void apply(MemorySegment memory, long offset) {
        float[] x = new float[n];
        MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, x, 0, n);
        apply(x, 0);
        MemorySegment.copy(x, 0, memory, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, n);
    }

    /** The inverse of {@link #apply(float[], int)}: x = (H ⊗ S)ᵀ y / √n. */
    public void applyInverse(float[] y, int offset) {
        transform(y, offset, 1, transposed);
    }

    /**
     * Each column of x [n, width] as one vector, in place: the transform across heads has n = heads and width = components of a head.
     *
     * @param x row-major at {@code x[offset .. offset + n · width)}
     */
    public void applyAcross(float[] x, int offset, int width) {
        transform(x, offset, width, factor);
    }

    /** As {@link #applyAcross(float[], int, int)}, for weights, which are rotated in float64. */
    public void applyAcross(double[] x, int offset, int width) {
        int row = n / factor.order() * width;
        for (int start = offset; start < offset + n * width; start += row) {
            for (int half = width; half < row; half *= 2) {
                butterflies(x, start, row, half);
            }
        }
        double scale = 1 / Math.sqrt(n);
        if (factor.order() == 1) {
            for (int i = offset; i < offset + row; i++) {
                x[i] *= scale;
            }
            return;
        }
        multiply(x, offset, row, factor, scale);
    }

    private void transform(float[] x, int offset, int width, HadamardMatrix h) {
        int row = n / h.order() * width;
        for (int start = offset; start < offset + n * width; start += row) {
            for (int half = width; half < row; half *= 2) {
                butterflies(x, start, row, half);
            }
        }
        float scale = (float) (1 / Math.sqrt(n));
        if (h.order() == 1) {
            for (int i = offset; i < offset + row; i++) {
                x[i] *= scale;
            }
            return;
        }
        multiply(x, offset, row, h, scale);
    }

    /** One step of the fast transform: pairs (a, b) at distance {@code half} become (a + b, a - b). */
    private static void butterflies(float[] x, int start, int length, int half) {
        for (int i = start; i < start + length; i += 2 * half) {
            for (int j = i; j < i + half; j++) {
                float a = x[j];
                float b = x[j + half];
                x[j] = a + b;
                x[j + half] = a - b;
            }
        }
    }

    private static void butterflies(double[] x, int start, int length, int half) {
        for (int i = start; i < start + length; i += 2 * half) {
            for (int j = i; j < i + half; j++) {
                double a = x[j];
                double b = x[j + half];
                x[j] = a + b;
                x[j + half] = a - b;
            }
        }
    }

    /** x [K, row] <- H [K, K] · x · scale. Rows are arrays of their own, with one index for all: otherwise the compiler does not vectorise. */
    private static void multiply(float[] x, int offset, int row, HadamardMatrix h, float scale) {
        float[][] rows = new float[h.order()][];
        for (int l = 0; l < rows.length; l++) {
            rows[l] = Arrays.copyOfRange(x, offset + l * row, offset + (l + 1) * row);
        }
        float[] sum = new float[row];
        for (int i = 0; i < rows.length; i++) {
            Arrays.fill(sum, 0);
            for (int l = 0; l < rows.length; l += 2) { // every K but 1 is even
                add(sum, h.at(i, l), rows[l], h.at(i, l + 1), rows[l + 1]);
            }
            for (int j = 0; j < row; j++) {
                x[offset + i * row + j] = sum[j] * scale;
            }
        }
    }

    private static void multiply(double[] x, int offset, int row, HadamardMatrix h, double scale) {
        double[][] rows = new double[h.order()][];
        for (int l = 0; l < rows.length; l++) {
            rows[l] = Arrays.copyOfRange(x, offset + l * row, offset + (l + 1) * row);
        }
        double[] sum = new double[row];
        for (int i = 0; i < rows.length; i++) {
            Arrays.fill(sum, 0);
            for (int l = 0; l < rows.length; l += 2) {
                add(sum, h.at(i, l), rows[l], h.at(i, l + 1), rows[l + 1]);
            }
            for (int j = 0; j < row; j++) {
                x[offset + i * row + j] = sum[j] * scale;
            }
        }
    }

    private static void add(float[] sum, float s, float[] x, float t, float[] y) {
        for (int j = 0; j < sum.length; j++) {
            sum[j] += s * x[j] + t * y[j];
        }
    }

    private static void add(double[] sum, double s, double[] x, double t, double[] y) {
        for (int j = 0; j < sum.length; j++) {
            sum[j] += s * x[j] + t * y[j];
        }
    }
}
