package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Transpose;
import java.util.Arrays;

/**
 * Rounds the kept weights of one row while substituting backwards along the Cholesky factor of their Hessian (Babai's nearest plane; GPTQ in that order of columns), once for each scale of the
 * {@link ScaleGrid}, and keeps the best.
 *
 * <pre>
 *   H_PP = L Lᵀ,  y = L⁻¹ (H w)_P                                          so the best real weights are L⁻ᵀ y
 *   for each scale s:  u = y
 *     for i = n-1 .. 0:  x = u_i / L_ii,  q_i = s · code(x),  loss += (L_ii (x - q_i))²,  u_j -= L_ij q_i for j &lt; i
 * </pre>
 *
 * <p>The loss is {@code |y - Lᵀ q|²}: but for a constant, what the row loses. All candidates advance together, block of columns by block, so that what a block does to the columns before it
 * is one product; those that have lost more than the best of two tried first are dropped on the way. The result is that of one after the other. For one thread.
 */
final class SupportRounding {
    /** Columns of a block. */
    private static final int BLOCK = 64;

    /** The candidates of 0.9 times the row's scale: often near the best. */
    private static final int[] FIRST = {24, 25};

    private final LinearAlgebra algebra;
    private final ScaleGrid grid;
    private final float[][] ahead = new float[BLOCK][ScaleGrid.CANDIDATES]; // u of a block [column][candidate]
    private final float[] scales = new float[ScaleGrid.CANDIDATES];
    private final float[][] rounded = new float[BLOCK][ScaleGrid.CANDIDATES]; // q of a block [column][candidate]
    private final float[][] below = new float[BLOCK][BLOCK]; // a block's corner of L, transposed
    private final float[] errors = new float[ScaleGrid.CANDIDATES];
    private final double[] losses = new double[ScaleGrid.CANDIDATES];
    private final int[] alive = new int[ScaleGrid.CANDIDATES];
    private float[] u = new float[0]; // [n][candidates in play]
    private float[] q = new float[0]; // [BLOCK][candidates in play]
    private byte[] tried = new byte[0]; // codes [candidate][n]
    private byte[] codes = new byte[0];
    private double least;
    private int best;

    SupportRounding(LinearAlgebra algebra, ScaleGrid grid) {
        this.algebra = algebra;
        this.grid = grid;
    }

    /**
     * Rounds one row.
     *
     * @param n kept weights, 1 or more
     * @param l L [n, n]
     * @param y [n]
     * @param base the scale that candidates are multiples of, above 0
     */
    void search(int n, Block l, float[] y, float base) {
        if (codes.length < n) {
            u = new float[n * ScaleGrid.CANDIDATES];
            q = new float[BLOCK * ScaleGrid.CANDIDATES];
            tried = new byte[n * ScaleGrid.CANDIDATES];
            codes = new byte[n];
        }
        Arrays.fill(codes, 0, n, (byte) 0);
        least = Double.POSITIVE_INFINITY;
        best = -1;
        tryAll(FIRST, n, l, y, base);
        int[] others = new int[ScaleGrid.CANDIDATES - FIRST.length];
        for (int i = 0; i < others.length; i++) {
            others[i] = i < FIRST[0] ? i : i + FIRST.length;
        }
        tryAll(others, n, l, y, base);
    }

    /** Codes of the last search, [n] of them from 0 on; shared, overwritten by the next. */
    byte[] codes() {
        return codes;
    }

    /** The candidate that won the last search. */
    int candidate() {
        return best;
    }

    /** Its loss {@code |y - Lᵀ q|²}. */
    double loss() {
        return least;
    }

    private void tryAll(int[] candidates, int n, Block l, float[] y, float base) {
        int live = candidates.length;
        System.arraycopy(candidates, 0, alive, 0, live);
        for (int g = 0; g < live; g++) {
            scales[g] = ScaleGrid.candidate(alive[g], base);
        }
        Arrays.fill(losses, 0);
        int width = live; // of u's rows, whatever is dropped
        for (int i = 0; i < n; i++) {
            Arrays.fill(u, i * width, i * width + live, y[i]);
        }
        for (int end = n, begin; end > 0 && live > 0; end = begin) {
            begin = Math.max(0, end - BLOCK);
            for (int i = begin; i < end; i++) {
                System.arraycopy(u, i * width, ahead[i - begin], 0, live);
            }
            roundBlock(begin, end, l, n, live);
            for (int i = begin; i < end; i++) {
                System.arraycopy(rounded[i - begin], 0, q, (i - begin) * width, live);
            }
            live = dropLosers(begin, end, live, width);
            if (begin > 0 && live > 0) {
                algebra.gemm( // U [begin, live] -= L[begin..end, 0..begin]ᵀ · Q [end - begin, live]
                        Transpose.YES,
                        Transpose.NO,
                        begin,
                        live,
                        end - begin,
                        -1,
                        new Block(l.values(), l.offset() + begin * l.stride(), l.stride()),
                        new Block(q, 0, width),
                        1,
                        new Block(u, 0, width));
            }
        }
        for (int g = 0; g < live; g++) {
            if (losses[g] < least || (losses[g] == least && alive[g] < best)) {
                least = losses[g];
                best = alive[g];
            }
        }
        for (int g = 0; g < live; g++) {
            if (alive[g] == best) {
                System.arraycopy(tried, best * n, codes, 0, n);
            }
        }
    }

    /** Rounds the columns [begin, end) from the last to the first. */
    private void roundBlock(int begin, int end, Block l, int n, int live) {
        int size = end - begin;
        for (int i = 0; i < size; i++) {
            int row = l.offset() + (begin + i) * l.stride() + begin;
            for (int j = 0; j <= i; j++) {
                below[j][i] = l.values()[row + j];
            }
        }
        for (int i = size - 1; i >= 0; i--) {
            float[] x = ahead[i];
            subtractRounded(x, below[i], i + 1, size, live);
            round(x, below[i][i], rounded[i], live);
            for (int g = 0; g < live; g++) {
                losses[g] += (double) errors[g] * errors[g];
                tried[alive[g] * n + begin + i] = (byte) x[g];
            }
        }
    }

    /** {@code x -= sum over j of factors[j] · rounded[j]}, four at once. */
    private void subtractRounded(float[] x, float[] factors, int from, int to, int live) {
        int j = from;
        for (; j + 3 < to; j += 4) {
            float[] q0 = rounded[j];
            float[] q1 = rounded[j + 1];
            float[] q2 = rounded[j + 2];
            float[] q3 = rounded[j + 3];
            float f0 = factors[j];
            float f1 = factors[j + 1];
            float f2 = factors[j + 2];
            float f3 = factors[j + 3];
            for (int g = 0; g < live; g++) {
                x[g] -= (f0 * q0[g] + f1 * q1[g]) + (f2 * q2[g] + f3 * q3[g]);
            }
        }
        for (; j < to; j++) {
            float[] q = rounded[j];
            float factor = factors[j];
            for (int g = 0; g < live; g++) {
                x[g] -= factor * q[g];
            }
        }
    }

    /** {@code x} becomes codes, {@code value} what they stand for. */
    private void round(float[] x, float diagonal, float[] value, int live) {
        float[] s = scales;
        float[] e = errors;
        for (int g = 0; g < live; g++) {
            float best = x[g] / diagonal;
            float code = grid.code(best, s[g]);
            x[g] = code;
            value[g] = s[g] * code;
            e[g] = diagonal * (best - value[g]);
        }
    }

    /** Closes the gaps that hopeless candidates leave, in what the columns before {@code begin} and the product still need; returns how many are left. */
    private int dropLosers(int begin, int end, int live, int width) {
        int left = 0;
        int[] staying = new int[live];
        for (int g = 0; g < live; g++) {
            if (losses[g] <= least) {
                staying[left++] = g;
            }
        }
        if (left == live) {
            return live;
        }
        for (int to = 0; to < left; to++) {
            int from = staying[to];
            alive[to] = alive[from];
            scales[to] = scales[from];
            losses[to] = losses[from];
        }
        close(u, begin, width, staying, left);
        close(q, end - begin, width, staying, left);
        return left;
    }

    private static void close(float[] rows, int count, int width, int[] staying, int left) {
        for (int i = 0; i < count; i++) {
            for (int to = 0; to < left; to++) {
                rows[i * width + to] = rows[i * width + staying[to]];
            }
        }
    }
}
