package dev.obr.bench;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * How fast the compressor's inner steps are: a row of a layer is one Cholesky factorisation and two triangular solves, rows in parallel; everything else is products of matrices. Measured in one run,
 * so that their relation says what the factorisations reach of this machine.
 */
public final class LinearAlgebraBench {
    /** Time for each measurement, in nanoseconds. */
    private static final long ENOUGH = 700_000_000;

    private final LinearAlgebra algebra;
    private final ThreadTeam team;

    /**
     * Speeds at one size, in 10^9 floating point operations a second.
     *
     * @param n rows and columns
     * @param gemm product of two n x n matrices (2 n³ operations), all threads
     * @param choleskyAlone one factorisation (n³/3 operations) at a time, on one thread
     * @param rowSolves factorisations, each with two triangular solves (n³/3 + 2 n² operations), as many at once as there are threads
     */
    public record Speeds(int n, double gemm, double choleskyAlone, double rowSolves) {
        /** The share of the product's speed that the rows' solves reach. */
        public double share() {
            return rowSolves / gemm;
        }
    }

    public LinearAlgebraBench(LinearAlgebra algebra, ThreadTeam team) {
        this.algebra = algebra;
        this.team = team;
    }

    /** Measures at rows and columns of {@code n}. */
    public Speeds measure(int n) {
        Matrix h = positiveDefinite(n);
        double cube = (double) n * n * n;
        Matrix product = Matrix.zeros(n, n);
        TiledProducts products = new TiledProducts(algebra, team);
        double gemm = 2
                * cube
                / nanoseconds(() -> products.multiply(n, n, n, 1, Block.of(h), Block.of(h), 0, Block.of(product)));

        Matrix alone = h.copy();
        double cholesky = cube
                / 3
                / nanoseconds(() -> {
                    copyLower(h, alone);
                    algebra.cholesky(n, Block.of(alone));
                });

        List<Matrix> factors = new ArrayList<>();
        List<float[]> sides = new ArrayList<>();
        for (int i = 0; i < team.threads(); i++) {
            factors.add(h.copy());
            sides.add(new float[n]);
        }
        int rows = 4 * team.threads();
        double flops = rows * (cube / 3 + 2.0 * n * n);
        int each = Math.ceilDiv(rows, team.threads());
        double rowSolves = flops
                / nanoseconds(() -> team.run(team.threads(), thread -> {
                    for (int i = 0; i < each; i++) {
                        copyLower(h, factors.get(thread));
                        algebra.cholesky(n, Block.of(factors.get(thread)));
                        Arrays.fill(sides.get(thread), 1);
                        algebra.solveFactored(n, Block.of(factors.get(thread)), sides.get(thread));
                    }
                }));
        return new Speeds(n, gemm, cholesky, rowSolves);
    }

    /** The fastest of the runs that fit the time, after one to warm up. */
    private static double nanoseconds(Runnable work) {
        work.run();
        double best = Double.POSITIVE_INFINITY;
        long start = System.nanoTime();
        while (System.nanoTime() - start < ENOUGH) {
            long from = System.nanoTime();
            work.run();
            best = Math.min(best, System.nanoTime() - from);
        }
        return best;
    }

    private static void copyLower(Matrix from, Matrix to) {
        int n = from.cols();
        for (int i = 0; i < n; i++) {
            System.arraycopy(from.values(), i * n, to.values(), i * n, i + 1);
        }
    }

    /** Off the diagonal random, on it enough for any sign of them. */
    private static Matrix positiveDefinite(int n) {
        SplittableRandom random = new SplittableRandom(1);
        Matrix h = Matrix.zeros(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                float value = (float) (random.nextDouble() - 0.5);
                h.set(i, j, value);
                h.set(j, i, value);
            }
            h.set(i, i, n);
        }
        return h;
    }
}
