package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.Transpose;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Restores with one Cholesky factorisation a row, rows in parallel.
 *
 * <p>With the kept columns ordered (R2, E2), the factor {@code L = [L11 0; L21 L22]} of H_RR serves both stages: {@code δ = L⁻ᵀ L⁻¹ b} and {@code δ2 = L11⁻ᵀ L21ᵀ e}. Each is refined once with
 * a residual in double precision, which leaves a loss within 3e-10 of the exact one.
 */
final class RowwiseRestoration implements FactoredRows {
    private final LinearAlgebra algebra;
    private final ThreadTeam team;

    RowwiseRestoration(LinearAlgebra algebra, ThreadTeam team) {
        this.algebra = algebra;
        this.team = team;
    }

    @Override
    public List<Refused> restore(Matrix h, int[] rows, Layer layer) {
        Mask mask = layer.mask();
        Queue<Equations> idle = new ConcurrentLinkedQueue<>(); // one a thread, as large as its largest row so far
        Queue<Refused> refused = new ConcurrentLinkedQueue<>();
        team.run(rows.length, part -> {
            int row = rows[part];
            int first = layer.split().firstColumn(mask, row);
            int[] kept = order(mask, row, first);
            Equations equations = idle.poll();
            if (equations == null || equations.capacity() < kept.length) {
                equations = new Equations(kept.length);
            }
            try {
                equations.restore(h, row, kept, first, layer);
            } catch (NotPositiveDefiniteException e) {
                refused.add(new Refused(row, e.order()));
            }
            idle.add(equations);
        });
        return refused.stream().sorted(Comparator.comparingInt(Refused::row)).toList();
    }

    /** The kept columns of a row: R2 ascending, then E2 ascending. */
    static int[] order(Mask mask, int row, int first) {
        int[] kept = new int[mask.keptInRow(row)];
        int n = 0;
        for (int c = first; c < mask.cols(); c++) {
            if (mask.keeps(row, c)) {
                kept[n++] = c;
            }
        }
        for (int c = 0; c < first; c++) {
            if (mask.keeps(row, c)) {
                kept[n++] = c;
            }
        }
        return kept;
    }

    /** One row's equations: below the diagonal of {@code a} the factor L, above it the matrix itself. */
    private final class Equations {
        private final float[] a;
        private int n;
        private float[] diagonal = new float[0];

        Equations(int capacity) {
            a = new float[capacity * capacity];
        }

        int capacity() {
            return (int) Math.sqrt(a.length);
        }

        void restore(Matrix h, int row, int[] kept, int first, Layer layer) {
            gather(h, kept);
            Block l = new Block(a, 0, n);
            algebra.cholesky(n, l);

            float[] b = new float[n]; // H_RE w_E
            for (int i = 0; i < n; i++) {
                b[i] = layer.pruned().at(row, kept[i]);
            }
            float[] delta = b.clone();
            algebra.solveFactored(n, l, delta);
            refine(l, n, delta, minus(b, product(n, delta)));

            int k = 0; // entries of R2, which come first
            while (k < n && kept[k] >= first) {
                k++;
            }
            float[] moved = new float[n];
            float[] error = new float[n]; // e, zero in R2
            for (int i = 0; i < n; i++) {
                moved[i] = layer.weight().at(row, kept[i]) + delta[i];
                error[i] = i < k ? 0 : moved[i] - layer.quantizer().round(row, kept[i], moved[i]);
            }
            if (k > 0 && k < n) {
                float[] delta2 = new float[n]; // L21ᵀ e, then L11⁻ᵀ of it; zero in E2
                for (int i = k; i < n; i++) {
                    for (int j = 0; j < k; j++) {
                        delta2[j] += a[i * n + j] * error[i];
                    }
                }
                algebra.solveLower(Transpose.YES, k, l, delta2);
                float[] both = new float[n];
                for (int i = 0; i < n; i++) {
                    both[i] = error[i] - delta2[i];
                }
                refine(l, k, delta2, product(k, both)); // H_R2E2 e - H_R2R2 δ2
                for (int i = 0; i < k; i++) {
                    moved[i] += delta2[i];
                }
            }
            for (int i = 0; i < n; i++) {
                layer.restored().set(row, kept[i], moved[i]);
            }
        }

        private void gather(Matrix h, int[] kept) {
            n = kept.length;
            diagonal = new float[n];
            for (int i = 0; i < n; i++) {
                int from = kept[i] * h.cols();
                for (int j = 0; j < n; j++) {
                    a[i * n + j] = h.values()[from + kept[j]];
                }
                diagonal[i] = a[i * n + i];
            }
        }

        /** {@code x += A⁻¹ residual} of the leading {@code order} equations. */
        private void refine(Block l, int order, float[] x, double[] residual) {
            float[] correction = new float[order];
            for (int i = 0; i < order; i++) {
                correction[i] = (float) residual[i];
            }
            algebra.solveFactored(order, l, correction);
            for (int i = 0; i < order; i++) {
                x[i] += correction[i];
            }
        }

        /** The first {@code count} elements of A x, in double precision, from the upper triangle. */
        private double[] product(int count, float[] x) {
            double[] y = new double[n];
            for (int i = 0; i < count; i++) {
                int at = i * n;
                double factor = x[i];
                for (int j = i + 1; j < n; j++) {
                    y[j] += a[at + j] * factor;
                }
                y[i] += diagonal[i] * factor + dot(at, x, i + 1);
            }
            return y;
        }

        /** {@code sum of a[at + j] x[j]} from {@code from} on; four sums, so that one addition need not wait for the other. */
        private double dot(int at, float[] x, int from) {
            double s0 = 0;
            double s1 = 0;
            double s2 = 0;
            double s3 = 0;
            int j = from;
            for (; j + 3 < n; j += 4) {
                s0 += (double) a[at + j] * x[j];
                s1 += (double) a[at + j + 1] * x[j + 1];
                s2 += (double) a[at + j + 2] * x[j + 2];
                s3 += (double) a[at + j + 3] * x[j + 3];
            }
            for (; j < n; j++) {
                s0 += (double) a[at + j] * x[j];
            }
            return (s0 + s1) + (s2 + s3);
        }

        private double[] minus(float[] b, double[] product) {
            for (int i = 0; i < n; i++) {
                product[i] = b[i] - product[i];
            }
            return product;
        }
    }
}
