package dev.obr.compressor.obr;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.TiledProducts;
import java.util.Arrays;

/**
 * Solves {@code H_RR x = b_R} for many rows at once, each with unknowns R of its own, by preconditioned conjugate gradients: an iteration multiplies all search directions by H in one product.
 *
 * <p>A row ends when its loss is certified. Its loss is {@code J(x) = ½ x H_RR x - b x + constant}, and as no eigenvalue of H_RR is below the damping, {@code J(x) - J_min = ½ r H_RR⁻¹ r <= |r|² /
 * (2 damp)}. The residual r is computed anew from x before the bound is believed, in float32.
 */
final class BatchedConjugateGradients {
    /** The share of its least loss that a row's loss may exceed it by. */
    private static final double TOLERANCE = 1e-4;

    /** A residual this much smaller than b is as small as float32 gets it. */
    private static final double FLOAT_LIMIT = 3e-7;

    private static final int MOST_ITERATIONS = 400;
    private static final int MOST_RESTARTS = 3;

    /** Rows that are solved together: what bounds the memory. */
    private static final int CHUNK = 512;

    /** Rows of a chunk that one thread takes at once. */
    private static final int GRAIN = 32;

    /**
     * Solutions x [rows, cols], zero where a row has no unknown.
     *
     * @param excess the sum of losses is at most this much above the least possible
     * @param leastLoss the sum of losses is at least this
     * @param iterations of the rows that took most
     */
    record Solution(Matrix x, double excess, double leastLoss, int iterations) {}

    private final ThreadTeam team;
    private final TiledProducts products;
    private final Matrix h;
    private final double damp;
    private final LowRankPreconditioner preconditioner;

    /** @param damp a lower bound of H's eigenvalues, above 0 */
    BatchedConjugateGradients(LinearAlgebra algebra, ThreadTeam team, Matrix h, double damp) {
        if (!(damp > 0)) {
            throw new NotPositiveDefiniteException(1); // nothing could be certified
        }
        this.team = team;
        this.products = new TiledProducts(algebra, team);
        this.h = h;
        this.damp = damp;
        this.preconditioner = LowRankPreconditioner.of(algebra, team, h);
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
        for (int top = 0; top < b.rows(); top += CHUNK) {
            Chunk chunk = new Chunk(b, unknown, constant, top, Math.min(CHUNK, b.rows() - top));
            chunk.solve();
            System.arraycopy(chunk.x.values(), 0, x.values(), top * b.cols(), chunk.x.values().length);
            for (int i = 0; i < chunk.rows; i++) {
                excess += chunk.bound(i);
                least += Math.max(0, chunk.loss[i] - chunk.bound(i));
            }
            iterations = Math.max(iterations, chunk.iterations);
        }
        return new Solution(x, excess, least, iterations);
    }

    /** The state of some rows' iteration. */
    private final class Chunk {
        private final Matrix b;
        private final boolean[] unknown;
        private final double[] constant;
        private final int top;
        private final int rows;
        private final int cols = h.cols();
        private final Matrix x;
        private final Matrix r; // b - H_RR x
        private final Matrix p; // search directions
        private final Matrix work; // H p, then the preconditioned residual
        private final Matrix[] factors;
        private final double[] squares; // |r|²
        private final double[] target; // |b|² · limit²
        private final double[] slope; // r M⁻¹ r
        private final double[] loss;
        private final boolean[] done;
        private int iterations;

        Chunk(Matrix b, boolean[] unknown, double[] constant, int top, int rows) {
            this.b = b;
            this.unknown = unknown;
            this.constant = constant;
            this.top = top;
            this.rows = rows;
            x = Matrix.zeros(rows, cols);
            r = Matrix.zeros(rows, cols);
            p = Matrix.zeros(rows, cols);
            work = Matrix.zeros(rows, cols);
            factors = new Matrix[rows];
            squares = new double[rows];
            target = new double[rows];
            slope = new double[rows];
            loss = new double[rows];
            done = new boolean[rows];
        }

        void solve() {
            eachRow(i -> factors[i] = preconditioner.factor(unknown, (top + i) * cols));
            for (int restart = 0; restart <= MOST_RESTARTS; restart++) {
                computeResidual(restart == 0);
                if (allDone() || iterations >= MOST_ITERATIONS) {
                    return;
                }
                iterate();
            }
            computeResidual(false);
        }

        double bound(int i) {
            return squares[i] / (2 * damp);
        }

        private void computeResidual(boolean fromZero) {
            if (!fromZero) {
                multiply(x);
            }
            eachRow(i -> {
                double sum = 0;
                double given = 0;
                for (int at = i * cols; at < (i + 1) * cols; at++) {
                    boolean counts = unknown[top * cols + at];
                    float right = counts ? b.values()[top * cols + at] : 0;
                    float rest = counts && !fromZero ? right - work.values()[at] : right;
                    r.values()[at] = rest;
                    sum += (double) rest * rest;
                    given += (double) right * right;
                }
                squares[i] = sum;
                target[i] = given * FLOAT_LIMIT * FLOAT_LIMIT;
                judge(i);
            });
        }

        /** Iterates all rows that are not done until they are, by the residual as it is updated. */
        private void iterate() {
            precondition();
            eachRow(i -> {
                slope[i] = done[i] ? 0 : dot(r, work, i);
                for (int at = i * cols; at < (i + 1) * cols; at++) {
                    p.values()[at] = done[i] ? 0 : work.values()[at];
                }
            });
            while (iterations < MOST_ITERATIONS && !allDone()) {
                iterations++;
                multiply(p);
                eachRow(this::step);
                precondition();
                eachRow(this::turn);
            }
        }

        /** To the minimum along p. */
        private void step(int i) {
            if (done[i]) {
                return;
            }
            double curvature = dot(p, work, i);
            if (!(curvature > 0)) {
                throw new NotPositiveDefiniteException(cols);
            }
            float length = (float) (slope[i] / curvature);
            double sum = 0;
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                if (unknown[top * cols + at]) {
                    x.values()[at] += length * p.values()[at];
                    float rest = r.values()[at] - length * work.values()[at];
                    r.values()[at] = rest;
                    sum += (double) rest * rest;
                }
            }
            squares[i] = sum;
            judge(i);
        }

        /** To the next direction, conjugate to those before. */
        private void turn(int i) {
            if (done[i]) {
                Arrays.fill(p.values(), i * cols, (i + 1) * cols, 0);
                return;
            }
            double next = dot(r, work, i);
            float share = (float) (next / slope[i]);
            slope[i] = next;
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                p.values()[at] = work.values()[at] + share * p.values()[at];
            }
        }

        /** {@code J(x) = constant - ½ x (b + r)}, and whether its bound is small enough. */
        private void judge(int i) {
            double sum = 0;
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                if (unknown[top * cols + at]) {
                    sum += (double) x.values()[at] * (b.values()[top * cols + at] + r.values()[at]);
                }
            }
            loss[i] = constant[top + i] - 0.5 * sum;
            done[i] = bound(i) <= TOLERANCE * (loss[i] - bound(i)) || squares[i] <= target[i];
        }

        private boolean allDone() {
            for (boolean one : done) {
                if (!one) {
                    return false;
                }
            }
            return true;
        }

        /** work <- v H. */
        private void multiply(Matrix v) {
            products.multiply(rows, cols, cols, 1, Block.of(v), Block.of(h), 0, Block.of(work));
        }

        /** work <- M⁻¹ r. */
        private void precondition() {
            team.run(Math.ceilDiv(rows, GRAIN), part -> {
                int first = part * GRAIN;
                preconditioner.apply(first, Math.min(GRAIN, rows - first), r, unknown, top * cols, factors, work);
            });
        }

        /** p is zero where nothing is unknown, so what H gives there does not count. */
        private double dot(Matrix a, Matrix c, int i) {
            double sum = 0;
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                sum += (double) a.values()[at] * c.values()[at];
            }
            return sum;
        }

        private void eachRow(ThreadTeam.Part body) {
            team.run(rows, body);
        }
    }
}
