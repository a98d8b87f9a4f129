package dev.obr.compressor.obr;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.GradientVectors;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import java.util.Arrays;

/** Rows' conjugate gradients in the host's memory, rows in parallel. Unknowns' columns hold values, all others zeros. */
final class HostGradientVectors implements GradientVectors {
    /** Rows that are solved together: what bounds the memory. */
    private static final int CAPACITY = 512;

    /** Rows that one thread takes at once. */
    private static final int GRAIN = 32;

    private final ThreadTeam team;
    private final TiledProducts products;
    private final LowRankPreconditioner preconditioner;
    private final Matrix h;
    private final int cols;
    private Matrix b = Matrix.zeros(0, 0);
    private boolean[] unknown = {};
    private int top;
    private int rows;
    private Matrix x = b;
    private Matrix r = b;
    private Matrix p = b; // search directions
    private Matrix work = b; // H p, then the preconditioned residual
    private Matrix[] factors = {};
    private boolean[] done = {}; // rows whose directions are zero

    HostGradientVectors(ThreadTeam team, TiledProducts products, LowRankPreconditioner preconditioner, Matrix h) {
        this.team = team;
        this.products = products;
        this.preconditioner = preconditioner;
        this.h = h;
        cols = h.cols();
    }

    @Override
    public int capacity() {
        return CAPACITY;
    }

    @Override
    public Residuals begin(Matrix right, boolean[] unknown, int top, int rows) {
        b = right;
        this.unknown = unknown;
        this.top = top;
        this.rows = rows;
        x = Matrix.zeros(rows, cols);
        r = Matrix.zeros(rows, cols);
        p = Matrix.zeros(rows, cols);
        work = Matrix.zeros(rows, cols);
        factors = new Matrix[rows];
        done = new boolean[rows];
        team.run(rows, i -> factors[i] = preconditioner.factor(unknown, (top + i) * cols));
        return fromProduct(); // which is zero
    }

    @Override
    public Residuals residual() {
        multiply(x);
        return fromProduct();
    }

    /** r = b - work. */
    private Residuals fromProduct() {
        Residuals sums = new Residuals(new double[rows], new double[rows], new double[rows]);
        team.run(rows, i -> {
            double sum = 0;
            double given = 0;
            double gain = 0;
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                boolean counts = unknown[top * cols + at];
                float right = counts ? b.values()[top * cols + at] : 0;
                float rest = counts ? right - work.values()[at] : 0;
                r.values()[at] = rest;
                sum += (double) rest * rest;
                given += (double) right * right;
                gain += (double) x.values()[at] * (right + rest);
            }
            sums.squares()[i] = sum;
            sums.given()[i] = given;
            sums.gain()[i] = gain;
        });
        return sums;
    }

    @Override
    public double[] precondition() {
        team.run(Math.ceilDiv(rows, GRAIN), part -> {
            int first = part * GRAIN;
            preconditioner.apply(first, Math.min(GRAIN, rows - first), r, unknown, top * cols, factors, work);
        });
        return dots(r);
    }

    @Override
    public void turn(float[] share, boolean[] done) {
        this.done = done.clone();
        team.run(rows, i -> {
            if (done[i]) {
                Arrays.fill(p.values(), i * cols, (i + 1) * cols, 0);
                return;
            }
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                p.values()[at] = work.values()[at] + share[i] * p.values()[at];
            }
        });
    }

    @Override
    public double[] curvature() {
        multiply(p);
        return dots(p);
    }

    @Override
    public Residuals step(float[] length) {
        Residuals sums = new Residuals(new double[rows], new double[rows], new double[rows]);
        team.run(rows, i -> {
            if (done[i]) {
                return;
            }
            double sum = 0;
            double given = 0;
            double gain = 0;
            for (int at = i * cols; at < (i + 1) * cols; at++) {
                if (unknown[top * cols + at]) {
                    float right = b.values()[top * cols + at];
                    x.values()[at] += length[i] * p.values()[at];
                    float rest = r.values()[at] - length[i] * work.values()[at];
                    r.values()[at] = rest;
                    sum += (double) rest * rest;
                    given += (double) right * right;
                    gain += (double) x.values()[at] * (right + rest);
                }
            }
            sums.squares()[i] = sum;
            sums.given()[i] = given;
            sums.gain()[i] = gain;
        });
        return sums;
    }

    @Override
    public void copyOut(Matrix to, int top) {
        System.arraycopy(x.values(), 0, to.values(), top * cols, x.values().length);
    }

    /** work <- v H. */
    private void multiply(Matrix v) {
        products.multiply(rows, cols, cols, 1, Block.of(v), Block.of(h), 0, Block.of(work));
    }

    /** a · work of each row; a is zero where nothing is unknown, so what stands there does not count. */
    private double[] dots(Matrix a) {
        double[] dots = new double[rows];
        team.run(rows, i -> {
            double sum = 0;
            for (int at = i * cols; !done[i] && at < (i + 1) * cols; at++) {
                sum += (double) a.values()[at] * work.values()[at];
            }
            dots[i] = sum;
        });
        return dots;
    }

    @Override
    public void close() {}
}
