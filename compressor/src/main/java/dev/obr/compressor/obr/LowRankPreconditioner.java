package dev.obr.compressor.obr;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.linalg.Transpose;
import java.util.Arrays;
import java.util.Random;

/**
 * {@code H ≈ μ I + Z Zᵀ}: the directions of H's largest eigenvalues, found by a few subspace iterations, and the mean of the other eigenvalues. On a row's columns R it is inverted by
 * Woodbury's formula,
 *
 * <pre>
 *   y = (r - Z_R (μ I + Z_Rᵀ Z_R)⁻¹ Z_Rᵀ r) / μ
 * </pre>
 *
 * <p>which costs one small factorisation a row. Only the speed of convergence depends on it.
 */
final class LowRankPreconditioner {
    private static final int RANK = 32;
    private static final int ITERATIONS = 4;

    private final LinearAlgebra algebra;
    private final double mu;
    private final Matrix z; // [cols, rank]

    private LowRankPreconditioner(LinearAlgebra algebra, double mu, Matrix z) {
        this.algebra = algebra;
        this.mu = mu;
        this.z = z;
    }

    /**
     * @param h [cols, cols], symmetric
     * @throws NotPositiveDefiniteException if the mean of its lesser eigenvalues is not positive
     */
    static LowRankPreconditioner of(LinearAlgebra algebra, ThreadTeam team, Matrix h) {
        int cols = h.cols();
        double trace = 0;
        for (int c = 0; c < cols; c++) {
            trace += h.at(c, c);
        }
        int rank = Math.min(RANK, cols / 4);
        if (rank == 0) {
            return flat(algebra, trace / cols, cols);
        }
        Matrix v = largestDirections(new TiledProducts(algebra, team), h, rank);
        Matrix hv = new TiledProducts(algebra, team).multiply(h, v);
        Matrix top = Matrix.zeros(rank, rank); // Vᵀ H V
        algebra.gemm(Transpose.YES, Transpose.NO, rank, rank, cols, 1, Block.of(v), Block.of(hv), 0, Block.of(top));
        double mu = trace / (cols - rank);
        for (int i = 0; i < rank; i++) {
            mu -= top.at(i, i) / (cols - rank);
        }
        if (!(mu > 0)) {
            throw new NotPositiveDefiniteException(cols);
        }
        for (int i = 0; i < rank; i++) {
            top.set(i, i, (float) (top.at(i, i) - mu));
        }
        try {
            algebra.cholesky(rank, Block.of(top)); // Vᵀ H V - μ I = L Lᵀ,  Z = V L
        } catch (NotPositiveDefiniteException noneStandsOut) {
            return flat(algebra, trace / cols, cols);
        }
        for (int i = 0; i < rank; i++) {
            Arrays.fill(top.values(), i * rank + i + 1, (i + 1) * rank, 0);
        }
        return new LowRankPreconditioner(algebra, mu, new TiledProducts(algebra, team).multiply(v, top));
    }

    /** {@code H ≈ μ I}: Z is a column of zeros. */
    private static LowRankPreconditioner flat(LinearAlgebra algebra, double mu, int cols) {
        return new LowRankPreconditioner(algebra, mu, Matrix.zeros(cols, 1));
    }

    /** About the eigenvectors of the largest eigenvalues: [cols, rank], orthonormal. */
    private static Matrix largestDirections(TiledProducts products, Matrix h, int rank) {
        Matrix v = Matrix.zeros(h.cols(), rank);
        Random random = new Random(1);
        for (int i = 0; i < v.values().length; i++) {
            v.values()[i] = (float) random.nextGaussian();
        }
        orthonormalize(v);
        for (int i = 0; i < ITERATIONS; i++) {
            v = products.multiply(h, v);
            orthonormalize(v);
        }
        return v;
    }

    /** Gram and Schmidt's way, twice, in double precision; columns of v [cols, k]. */
    private static void orthonormalize(Matrix v) {
        int k = v.cols();
        for (int j = 0; j < k; j++) {
            for (int pass = 0; pass < 2; pass++) {
                for (int i = 0; i < j; i++) {
                    double dot = columnDot(v, i, j);
                    for (int r = 0; r < v.rows(); r++) {
                        v.set(r, j, (float) (v.at(r, j) - dot * v.at(r, i)));
                    }
                }
            }
            double norm = Math.sqrt(columnDot(v, j, j));
            for (int r = 0; r < v.rows(); r++) {
                v.set(r, j, norm > 0 ? (float) (v.at(r, j) / norm) : 0);
            }
        }
    }

    private static double columnDot(Matrix v, int i, int j) {
        double sum = 0;
        for (int r = 0; r < v.rows(); r++) {
            sum += (double) v.at(r, i) * v.at(r, j);
        }
        return sum;
    }

    /** The mean of the lesser eigenvalues. */
    double mu() {
        return mu;
    }

    /** Z [cols, rank]. */
    Matrix z() {
        return z;
    }

    /** What a row with these unknowns needs beside: the factor of {@code μ I + Z_Rᵀ Z_R} [rank, rank]. */
    Matrix factor(boolean[] unknown, int from) {
        int cols = z.rows();
        int rank = z.cols();
        Matrix rows = Matrix.zeros(cols, rank); // Z_R, zero elsewhere
        for (int c = 0; c < cols; c++) {
            if (unknown[from + c]) {
                System.arraycopy(z.values(), c * rank, rows.values(), c * rank, rank);
            }
        }
        Matrix factor = Matrix.zeros(rank, rank);
        for (int i = 0; i < rank; i++) {
            factor.set(i, i, (float) mu);
        }
        algebra.syrk(rank, cols, 1, Block.of(rows), Block.of(factor));
        algebra.cholesky(rank, Block.of(factor));
        return factor;
    }

    /**
     * {@code y <- M⁻¹ r} of the rows [top, top + rows).
     *
     * @param r [.., cols], zero where nothing is unknown; so is y
     * @param unknown of row i from {@code unknownFrom + i · cols} on
     * @param factors one a row, of {@link #factor}
     */
    void apply(int top, int rows, Matrix r, boolean[] unknown, int unknownFrom, Matrix[] factors, Matrix y) {
        int cols = z.rows();
        int rank = z.cols();
        Matrix small = Matrix.zeros(rows, rank); // r Z, then times the inverse of each row's factor
        algebra.gemm(
                Transpose.NO, Transpose.NO, rows, rank, cols, 1, Block.at(r, top, 0), Block.of(z), 0, Block.of(small));
        for (int i = 0; i < rows; i++) {
            float[] u = Arrays.copyOfRange(small.values(), i * rank, (i + 1) * rank);
            algebra.solveFactored(rank, Block.of(factors[top + i]), u);
            System.arraycopy(u, 0, small.values(), i * rank, rank);
        }
        algebra.gemm(
                Transpose.NO, Transpose.YES, rows, cols, rank, 1, Block.of(small), Block.of(z), 0, Block.at(y, top, 0));
        float inverse = (float) (1 / mu);
        for (int i = top * cols; i < (top + rows) * cols; i++) {
            y.values()[i] = unknown[unknownFrom + i] ? inverse * (r.values()[i] - y.values()[i]) : 0;
        }
    }
}
