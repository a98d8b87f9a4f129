package dev.obr.compressor.obr;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.GradientVectors;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.TiledProducts;

/**
 * Solves {@code H_RR x = b_R} for many rows at once, each with unknowns R of its own, by preconditioned conjugate gradients: an iteration multiplies all search directions by H in one product. Where the algebra has a
 * device, all vectors stay there.
 *
 * <p>A row ends when its loss is certified. Its loss is {@code J(x) = ½ x H_RR x - b x + constant}, and as no eigenvalue of H_RR is below the damping, {@code J(x) - J_min = ½ r H_RR⁻¹ r <= |r|² /
 * (2 damp)}. The residual r is computed anew from x before the bound is believed, in float32.
 */
final class BatchedConjugateGradients implements AutoCloseable {
    /** The share of its least loss that a row's loss may exceed it by. */
    private static final double TOLERANCE = 1e-4;

    /** A residual this much smaller than b is as small as float32 gets it. */
    private static final double FLOAT_LIMIT = 3e-7;

    private static final int MOST_ITERATIONS = 400;
    private static final int MOST_RESTARTS = 3;

    /** Rows that are solved together on a device: enough for its products, which all wait for the slowest. */
    private static final int ROWS_ON_DEVICE = 2048;

    /**
     * Solutions x [rows, cols], zero where a row has no unknown.
     *
     * @param excess the sum of losses is at most this much above the least possible
     * @param leastLoss the sum of losses is at least this
     * @param iterations of the rows that took most
     */
    record Solution(Matrix x, double excess, double leastLoss, int iterations) {}

    private final GradientVectors vectors;
    private final double damp;
    private final int columns;

    /** @param damp a lower bound of H's eigenvalues, above 0 */
    BatchedConjugateGradients(LinearAlgebra algebra, ThreadTeam team, Matrix h, double damp) {
        if (!(damp > 0)) {
            throw new NotPositiveDefiniteException(1); // nothing could be certified
        }
        this.damp = damp;
        columns = h.cols();
        LowRankPreconditioner preconditioner = LowRankPreconditioner.of(algebra, team, h);
        vectors = algebra.device()
                .map(device -> device.gradients(h, preconditioner.z(), preconditioner.mu(), ROWS_ON_DEVICE))
                .orElseGet(() -> new HostGradientVectors(team, new TiledProducts(algebra, team), preconditioner, h));
    }

    /**
     * Solves all rows.
     *
     * @param b [rows, cols]; only what stands at unknowns counts
     * @param unknown [rows, cols]
     * @param constant [rows], the loss at x = 0
     * @throws NotPositiveDefiniteException if a direction of no or negative curvature shows
     */
    Solution solve(Matrix b, boolean[] unknown, double[] constant) {
        Matrix x = Matrix.zeros(b.rows(), b.cols());
        double excess = 0;
        double least = 0;
        int iterations = 0;
        for (int top = 0; top < b.rows(); top += vectors.capacity()) {
            Chunk chunk = new Chunk(constant, top, Math.min(vectors.capacity(), b.rows() - top));
            chunk.solve(b, unknown);
            vectors.copyOut(x, top);
            for (int i = 0; i < chunk.rows; i++) {
                excess += chunk.bound(i);
                least += Math.max(0, chunk.loss[i] - chunk.bound(i));
            }
            iterations = Math.max(iterations, chunk.iterations);
        }
        return new Solution(x, excess, least, iterations);
    }

    @Override
    public void close() {
        vectors.close();
    }

    /** How far some rows' iteration is. */
    private final class Chunk {
        private final double[] constant;
        private final int top;
        private final int rows;
        private final double[] squares; // |r|²
        private final double[] slope; // r M⁻¹ r
        private final double[] loss;
        private final boolean[] done;
        private int iterations;

        Chunk(double[] constant, int top, int rows) {
            this.constant = constant;
            this.top = top;
            this.rows = rows;
            squares = new double[rows];
            slope = new double[rows];
            loss = new double[rows];
            done = new boolean[rows];
        }

        void solve(Matrix b, boolean[] unknown) {
            GradientVectors.Residuals residuals = vectors.begin(b, unknown, top, rows);
            for (int restart = 0; restart <= MOST_RESTARTS; restart++) {
                judgeAll(residuals);
                if (allDone() || iterations >= MOST_ITERATIONS) {
                    return;
                }
                iterate();
                residuals = vectors.residual();
            }
            judgeAll(residuals);
        }

        double bound(int i) {
            return squares[i] / (2 * damp);
        }

        /** Iterates all rows that are not done until they are, by the residual as it is updated. */
        private void iterate() {
            float[] share = new float[rows];
            System.arraycopy(vectors.precondition(), 0, slope, 0, rows);
            vectors.turn(share, done);
            while (iterations < MOST_ITERATIONS && !allDone()) {
                iterations++;
                step(vectors.curvature());
                turn(vectors.precondition(), share);
            }
        }

        /** To the minimum along each row's direction. */
        private void step(double[] curvature) {
            float[] length = new float[rows];
            for (int i = 0; i < rows; i++) {
                if (!done[i] && !(curvature[i] > 0)) {
                    throw new NotPositiveDefiniteException(columns);
                }
                length[i] = done[i] ? 0 : (float) (slope[i] / curvature[i]);
            }
            GradientVectors.Residuals residuals = vectors.step(length);
            for (int i = 0; i < rows; i++) {
                if (!done[i]) {
                    judge(i, residuals);
                }
            }
        }

        /** To the next directions, conjugate to those before. */
        private void turn(double[] next, float[] share) {
            for (int i = 0; i < rows; i++) {
                share[i] = done[i] ? 0 : (float) (next[i] / slope[i]);
                slope[i] = next[i];
            }
            vectors.turn(share, done);
        }

        private void judgeAll(GradientVectors.Residuals residuals) {
            for (int i = 0; i < rows; i++) {
                judge(i, residuals);
            }
        }

        /** {@code J(x) = constant - ½ x (b + r)}, and whether its bound is small enough. */
        private void judge(int i, GradientVectors.Residuals residuals) {
            squares[i] = residuals.squares()[i];
            loss[i] = constant[top + i] - 0.5 * residuals.gain()[i];
            double asSmallAsItGets = residuals.given()[i] * FLOAT_LIMIT * FLOAT_LIMIT;
            done[i] = bound(i) <= TOLERANCE * (loss[i] - bound(i)) || squares[i] <= asSmallAsItGets;
        }

        private boolean allDone() {
            for (boolean one : done) {
                if (!one) {
                    return false;
                }
            }
            return true;
        }
    }
}
