package dev.obr.compressor.pipeline;

import dev.obr.compressor.mask.Mask;
import dev.obr.kernels.linalg.Matrix;
import java.util.stream.IntStream;

/**
 * What OBR makes of a row, in double precision from its definition, and how near its roundings came to a tie: the truth about rows that two implementations in float32 must agree on.
 *
 * <pre>
 *   w'_R  = w_R + H_RR⁻¹ H_RE w_E                  R kept, E pruned
 *   w'_R2 += H_R2R2⁻¹ H_R2E2 (w'_E2 - deq(w'_E2))  R2 from the column t on, E2 before
 *   codes: of w' before t; behind, of w' swept column by column with U, H⁻¹ = Uᵀ U
 * </pre>
 */
final class ExactRestoration {
    private static final double DAMPING = 0.01;
    private static final int LOWEST = -8;
    private static final int HIGHEST = 7;

    private final double[][] h;
    private final double[][] upper;

    ExactRestoration(Matrix hessian) {
        int n = hessian.cols();
        double mean = 0;
        for (int c = 0; c < n; c++) {
            mean += (hessian.at(c, c) == 0 ? 1 : hessian.at(c, c)) / n;
        }
        h = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                h[i][j] = i != j
                        ? hessian.at(i, j)
                        : (float) ((hessian.at(i, i) == 0 ? 1 : hessian.at(i, i)) + DAMPING * mean);
            }
        }
        upper = inverseFactor();
    }

    /**
     * A row.
     *
     * @param margin the least distance of a value that was rounded from the middle of two codes, in steps
     */
    record Row(byte[] codes, double margin) {}

    /**
     * @param scale of the row, the distance of two codes
     * @param nearTie distance from the middle of two codes within which either is right
     * @param found which of them to go on with then: a row of codes
     */
    Row of(Matrix weight, Mask mask, int row, float scale, double nearTie, byte[] found) {
        int n = h.length;
        int t = n / 2;
        int[] kept = columns(mask, row, 0, n);
        int[] later = columns(mask, row, t, n);
        double[] b = new double[kept.length];
        for (int i = 0; i < kept.length; i++) {
            for (int c = 0; c < n; c++) {
                b[i] += mask.keeps(row, c) ? 0 : h[kept[i]][c] * weight.at(row, c);
            }
        }
        double[] delta = solve(kept, b);
        double[] v = new double[n];
        for (int i = 0; i < kept.length; i++) {
            v[kept[i]] = weight.at(row, kept[i]) + delta[i];
        }
        Grid grid = new Grid(scale, nearTie, found);
        double[] b2 = new double[later.length];
        for (int c = 0; c < t; c++) {
            double error = mask.keeps(row, c) ? v[c] - grid.round(v[c], c) : 0;
            for (int i = 0; i < later.length; i++) {
                b2[i] += h[later[i]][c] * error;
            }
        }
        double[] delta2 = solve(later, b2);
        for (int i = 0; i < later.length; i++) {
            v[later[i]] += delta2[i];
        }
        byte[] codes = new byte[n];
        for (int c = 0; c < n; c++) {
            double q = mask.keeps(row, c) ? grid.round(v[c], c) : 0;
            codes[c] = (byte) Math.rint(q / scale);
            double error = c < t ? 0 : (v[c] - q) / upper[c][c];
            for (int i = c + 1; i < n; i++) {
                v[i] -= error * upper[c][i];
            }
        }
        return new Row(codes, grid.margin);
    }

    private static int[] columns(Mask mask, int row, int from, int to) {
        return IntStream.range(from, to).filter(c -> mask.keeps(row, c)).toArray();
    }

    /** Rounds, and remembers how near it came to a tie. */
    private static final class Grid {
        private final double scale;
        private final double nearTie;
        private final byte[] found;
        private double margin = 1;

        Grid(double scale, double nearTie, byte[] found) {
            this.scale = scale;
            this.nearTie = nearTie;
            this.found = found;
        }

        double round(double value, int column) {
            double place = value / scale;
            double middle = Math.clamp(Math.floor(place), LOWEST, HIGHEST - 1) + 0.5;
            double distance = Math.abs(place - middle);
            margin = Math.min(margin, distance);
            boolean either = distance < nearTie && Math.abs(found[column] - middle) == 0.5;
            return scale * (either ? found[column] : Math.clamp(Math.rint(place), LOWEST, HIGHEST));
        }
    }

    /** H[P,P]⁻¹ b by Cholesky. */
    private double[] solve(int[] p, double[] b) {
        double[][] l = new double[p.length][];
        for (int i = 0; i < p.length; i++) {
            l[i] = new double[i + 1];
            for (int j = 0; j <= i; j++) {
                l[i][j] = h[p[i]][p[j]];
            }
        }
        factor(l);
        double[] x = b.clone();
        for (int i = 0; i < p.length; i++) {
            x[i] = (x[i] - dot(l[i], x, i)) / l[i][i];
        }
        for (int i = p.length - 1; i >= 0; i--) {
            x[i] /= l[i][i];
            for (int j = 0; j < i; j++) {
                x[j] -= l[i][j] * x[i];
            }
        }
        return x;
    }

    /** A = L Lᵀ in place, row by row. */
    private static void factor(double[][] a) {
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j <= i; j++) {
                double rest = a[i][j] - dot(a[i], a[j], j);
                a[i][j] = i == j ? Math.sqrt(rest) : rest / a[j][j];
            }
        }
    }

    private static double dot(double[] a, double[] b, int count) {
        double even = 0;
        double odd = 0; // so that one addition need not wait for the other
        int i = 0;
        for (; i + 1 < count; i += 2) {
            even += a[i] * b[i];
            odd += a[i + 1] * b[i + 1];
        }
        return i < count ? even + odd + a[i] * b[i] : even + odd;
    }

    /** U of H⁻¹ = Uᵀ U: with the columns in reverse, H = L Lᵀ, and U is L⁻¹ reversed. */
    private double[][] inverseFactor() {
        int n = h.length;
        double[][] l = new double[n][];
        for (int i = 0; i < n; i++) {
            l[i] = new double[i + 1];
            for (int j = 0; j <= i; j++) {
                l[i][j] = h[n - 1 - i][n - 1 - j];
            }
        }
        factor(l);
        double[][] u = new double[n][n];
        for (int j = 0; j < n; j++) { // column j of L⁻¹
            double[] x = new double[n];
            x[j] = 1 / l[j][j];
            for (int i = j + 1; i < n; i++) {
                double sum = 0;
                for (int k = j; k < i; k++) {
                    sum += l[i][k] * x[k];
                }
                x[i] = -sum / l[i][i];
            }
            for (int i = j; i < n; i++) {
                u[n - 1 - i][n - 1 - j] = x[i];
            }
        }
        return u;
    }
}
