package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.CoordinateDescent;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.Transpose;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** The two halves of the code search on one row, against the same sums in double precision, one candidate and one column at a time. */
class CodeSearchTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();

    /** A row w [n] with everything kept, its H [n, n] well conditioned. */
    private record Row(float[] w, Matrix h, ScaleGrid grid, float base) {
        static Row of(int n, int bits, int seed) {
            float[] w = Layers.weight(1, n, seed).values();
            Matrix h =
                    DampedHessian.of(Layers.input(n, seed + 1).hessian(), 0.01).matrix();
            ScaleGrid grid = new ScaleGrid(-(1 << bits - 1), (1 << bits - 1) - 1);
            return new Row(w, h, grid, 2.5f / grid.highest());
        }

        /** {@code (s c - w) H (s c - w)ᵀ}. */
        double loss(byte[] codes, float scale) {
            double[] d = new double[w.length];
            Arrays.setAll(d, i -> (double) scale * codes[i] - w[i]);
            double loss = 0;
            for (int i = 0; i < d.length; i++) {
                for (int j = 0; j < d.length; j++) {
                    loss += d[i] * h.at(i, j) * d[j];
                }
            }
            return loss;
        }

        /** w H. */
        Matrix product() {
            Matrix product = Matrix.zeros(1, w.length);
            for (int j = 0; j < w.length; j++) {
                double sum = 0;
                for (int i = 0; i < w.length; i++) {
                    sum += (double) w[i] * h.at(i, j);
                }
                product.values()[j] = (float) sum;
            }
            return product;
        }

        double[] gradient(byte[] codes, float scale) {
            double[] g = new double[w.length];
            for (int i = 0; i < w.length; i++) {
                double d = (double) scale * codes[i] - w[i];
                for (int j = 0; j < w.length; j++) {
                    g[j] += d * h.at(i, j);
                }
            }
            return g;
        }

        CoordinateDescent descent(byte[] codes, float scale) {
            int[] all = IntStream.range(0, w.length).toArray();
            return new CoordinateDescent(h, grid.lowest(), grid.highest(), codes, scale, all, gradient(codes, scale));
        }
    }

    /** Its loss is the row's but for a constant, and the best of what the candidates reach one after the other. */
    @Property(tries = 12, seed = "1")
    void roundsAsOneCandidateAfterTheOther(
            @ForAll @IntRange(min = 1, max = 200) int n,
            @ForAll @IntRange(min = 2, max = 8) int bits,
            @ForAll @IntRange(max = 1000) int seed) {
        Row row = Row.of(n, bits, seed);
        Matrix l = row.h().copy();
        ALGEBRA.cholesky(n, Block.of(l));
        float[] y = row.product().values().clone();
        ALGEBRA.solveLower(Transpose.NO, n, Block.of(l), y);
        SupportRounding rounding = new SupportRounding(ALGEBRA, row.grid());
        rounding.search(n, Block.of(l), y, row.base());
        byte[] codes = Arrays.copyOf(rounding.codes(), n);
        float scale = ScaleGrid.candidate(rounding.candidate(), row.base());
        double energy = 0; // w H wᵀ
        double explained = 0;
        float[] wh = row.product().values();
        for (int i = 0; i < n; i++) {
            assertThat((int) codes[i]).isBetween(row.grid().lowest(), row.grid().highest());
            energy += (double) row.w()[i] * wh[i];
            explained += (double) y[i] * y[i];
        }
        assertThat(rounding.loss() + energy - explained).isCloseTo(row.loss(codes, scale), within(1e-4 * energy));
        double least = Double.POSITIVE_INFINITY;
        for (int candidate = 0; candidate < ScaleGrid.CANDIDATES; candidate++) {
            least = Math.min(least, nearestPlane(n, l, y, ScaleGrid.candidate(candidate, row.base()), row.grid()));
        }
        assertThat(rounding.loss()).isCloseTo(least, within(0.02 * least + 1e-5 * energy)); // near-ties may round apart
    }

    private static double nearestPlane(int n, Matrix l, float[] y, float scale, ScaleGrid grid) {
        double[] u = new double[n];
        Arrays.setAll(u, i -> y[i]);
        double loss = 0;
        for (int i = n - 1; i >= 0; i--) {
            double x = u[i] / l.at(i, i);
            double q = scale * Math.clamp(Math.rint(x / scale), grid.lowest(), grid.highest());
            loss += Math.pow(l.at(i, i) * (x - q), 2);
            for (int j = 0; j < i; j++) {
                u[j] -= l.at(i, j) * q;
            }
        }
        return loss;
    }

    /** No sweep raises the loss, and in the end no code alone has a better value: all are tried. */
    @Property(tries = 20, seed = "1")
    void descendsToWhereNoCodeAloneCanBeBetter(
            @ForAll @IntRange(min = 1, max = 24) int n,
            @ForAll @IntRange(min = 2, max = 5) int bits,
            @ForAll boolean mirrored,
            @ForAll @IntRange(max = 1000) int seed) {
        Row row = Row.of(n, bits, seed);
        float scale = mirrored ? -row.base() : row.base();
        byte[] codes = new byte[n];
        Random random = new Random(seed);
        for (int i = 0; i < n; i++) {
            codes[i] = (byte) Math.clamp(
                    Math.round(row.w()[i] / scale) + random.nextInt(3) - 1,
                    row.grid().lowest(),
                    row.grid().highest());
        }
        double before = row.loss(codes, scale);
        CoordinateDescent descent = row.descent(codes, scale);
        descent.descend();
        double after = row.loss(codes, scale);
        assertThat(after).isLessThanOrEqualTo(before * (1 + 1e-9));
        assertThat(descent.gradient()).containsExactly(row.gradient(codes, scale), within(1e-4));
        for (int i = 0; i < n; i++) {
            byte own = codes[i];
            for (int other = row.grid().lowest(); other <= row.grid().highest(); other++) {
                codes[i] = (byte) other;
                assertThat(row.loss(codes, scale)).isGreaterThanOrEqualTo(after * (1 - 1e-6));
            }
            codes[i] = own;
        }
    }

    /** The fitted scale is where the loss has its minimum, and the gradient follows. */
    @Property(tries = 20, seed = "1")
    void fitsTheScaleOfLeastSquares(
            @ForAll @IntRange(min = 1, max = 24) int n, @ForAll @IntRange(max = 1000) int seed) {
        Row row = Row.of(n, 4, seed);
        byte[] codes = new byte[n];
        for (int i = 0; i < n; i++) {
            codes[i] = (byte) Math.clamp(Math.round(row.w()[i] / row.base()), -8, 7);
        }
        CoordinateDescent descent = row.descent(codes, row.base());
        descent.refitScale(row.product(), 0);
        float fitted = descent.scale();
        if (Arrays.equals(codes, new byte[n])) {
            assertThat(fitted).isEqualTo(row.base());
            return;
        }
        double least = row.loss(codes, fitted);
        assertThat(least).isLessThanOrEqualTo(row.loss(codes, row.base()) * (1 + 1e-9));
        assertThat(row.loss(codes, 1.001f * fitted)).isGreaterThan(least);
        assertThat(row.loss(codes, 0.999f * fitted)).isGreaterThan(least);
        assertThat(descent.gradient()).containsExactly(row.gradient(codes, fitted), within(1e-4));
    }
}
