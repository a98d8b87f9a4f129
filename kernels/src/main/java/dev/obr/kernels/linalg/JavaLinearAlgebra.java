package dev.obr.kernels.linalg;

import java.util.Arrays;

/**
 * Plain Java: the specification, and what serves where OpenBLAS has no build. Inner loops run along rows, which the compiler vectorises where the order of additions does not matter.
 */
public final class JavaLinearAlgebra implements LinearAlgebra {
    /** Rows of B that stay in the first-level cache while all rows of A pass over them. */
    private static final int DEPTH = 64;

    @Override
    public String description() {
        return "plain Java";
    }

    @Override
    public void gemm(
            Transpose opA, Transpose opB, int m, int n, int k, float alpha, Block a, Block b, float beta, Block c) {
        a.check(opA == Transpose.NO ? m : k, opA == Transpose.NO ? k : m);
        b.check(opB == Transpose.NO ? k : n, opB == Transpose.NO ? n : k);
        c.check(m, n);
        for (int i = 0; i < m; i++) {
            scale(c.values(), c.offset() + i * c.stride(), n, beta);
        }
        int aRow = opA == Transpose.NO ? a.stride() : 1;
        int aCol = opA == Transpose.NO ? 1 : a.stride();
        float[] rows = new float[opB == Transpose.NO ? 0 : DEPTH * n]; // of op(B)
        for (int from = 0; from < k; from += DEPTH) {
            int to = Math.min(from + DEPTH, k);
            if (opB == Transpose.YES) {
                for (int j = 0; j < n; j++) {
                    for (int p = from; p < to; p++) {
                        rows[(p - from) * n + j] = b.values()[b.offset() + j * b.stride() + p];
                    }
                }
            }
            for (int i = 0; i < m; i++) {
                int row = c.offset() + i * c.stride();
                for (int p = from; p < to; p++) {
                    float factor = alpha * a.values()[a.offset() + i * aRow + p * aCol];
                    if (opB == Transpose.NO) {
                        addScaled(c.values(), row, n, factor, b.values(), b.offset() + p * b.stride());
                    } else {
                        addScaled(c.values(), row, n, factor, rows, (p - from) * n);
                    }
                }
            }
        }
    }

    @Override
    public void syrk(int n, int k, float alpha, Block x, Block c) {
        x.check(k, n);
        c.check(n, n);
        for (int p = 0; p < k; p++) {
            int row = x.offset() + p * x.stride();
            for (int i = 0; i < n; i++) {
                float factor = alpha * x.values()[row + i];
                addScaled(c.values(), c.offset() + i * c.stride(), i + 1, factor, x.values(), row);
            }
        }
    }

    /** Column by column; the rows below subtract what each finished column contributes, along rows. */
    @Override
    public void cholesky(int n, Block a) {
        a.check(n, n);
        float[] v = a.values();
        for (int i = 0; i < n; i++) {
            int row = a.offset() + i * a.stride();
            for (int j = 0; j < i; j++) {
                int other = a.offset() + j * a.stride();
                v[row + j] = (float) ((v[row + j] - dot(v, row, v, other, j)) / v[other + j]);
            }
            double rest = v[row + i] - dot(v, row, v, row, i);
            if (!(rest > 0) || Double.isInfinite(rest)) {
                throw new NotPositiveDefiniteException(i + 1);
            }
            v[row + i] = (float) Math.sqrt(rest);
        }
    }

    @Override
    public void solveLower(Transpose op, int n, Block l, float[] x) {
        l.check(n, n);
        float[] v = l.values();
        if (op == Transpose.NO) {
            for (int i = 0; i < n; i++) {
                int row = l.offset() + i * l.stride();
                x[i] = (float) ((x[i] - dot(v, row, x, 0, i)) / v[row + i]);
            }
        } else {
            for (int i = n - 1; i >= 0; i--) {
                int row = l.offset() + i * l.stride();
                x[i] /= v[row + i];
                addScaled(x, 0, i, -x[i], v, row);
            }
        }
    }

    /** Row i of the inverse is -(L[i, 0..i) · inverse of the leading block) / L[i,i]. */
    @Override
    public void invertLower(int n, Block l) {
        l.check(n, n);
        float[] v = l.values();
        float[] inverse = new float[n];
        for (int i = 0; i < n; i++) {
            int row = l.offset() + i * l.stride();
            float diagonal = 1 / v[row + i];
            Arrays.fill(inverse, 0, i, 0);
            for (int p = 0; p < i; p++) {
                addScaled(inverse, 0, p + 1, -diagonal * v[row + p], v, l.offset() + p * l.stride());
            }
            System.arraycopy(inverse, 0, v, row, i);
            v[row + i] = diagonal;
        }
    }

    private static void scale(float[] values, int from, int count, float factor) {
        for (int j = from; j < from + count; j++) {
            values[j] = factor == 0 ? 0 : factor * values[j];
        }
    }

    /** {@code y[from ..] += factor · x[start ..]}. */
    private static void addScaled(float[] y, int from, int count, float factor, float[] x, int start) {
        for (int j = 0; j < count; j++) {
            y[from + j] += factor * x[start + j];
        }
    }

    private static double dot(float[] x, int from, float[] y, int start, int count) {
        double sum = 0;
        for (int j = 0; j < count; j++) {
            sum += (double) x[from + j] * y[start + j];
        }
        return sum;
    }
}
