package dev.obr.compressor.obr;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import org.jspecify.annotations.Nullable;

/**
 * What the inputs of a linear layer were like. Linear layers that share their input share this, and what is derived from it is computed once for them. For one thread.
 */
public final class LayerInput {
    private final Matrix hessian;
    private final float[] scalerRow;
    private @Nullable DampedHessian damped;

    /**
     * @param name of the layer, for messages
     * @param hessian H [cols, cols], symmetric and not damped: {@code 2/n · sum of Xᵀ X} over n sequences
     * @param scalerRow s [cols], the mean squared norm of each column
     * @throws ObrException if a value is not finite, a norm or diagonal element is negative, or H is not symmetric
     */
    public LayerInput(String name, Matrix hessian, float[] scalerRow) {
        if (hessian.rows() != hessian.cols() || hessian.cols() != scalerRow.length) {
            throw new ObrException("the Hessian of " + name + " is [" + hessian.rows() + ", " + hessian.cols()
                    + "] and its scaler row has " + scalerRow.length
                    + " values, but all three must be the layer's number of inputs");
        }
        Finite.check(hessian, "the Hessian of " + name);
        for (int c = 0; c < scalerRow.length; c++) {
            if (!(scalerRow[c] >= 0 && scalerRow[c] < Float.POSITIVE_INFINITY)) {
                throw new ObrException("the scaler row of " + name + " has " + scalerRow[c] + " at column " + c
                        + ", but a squared norm is finite and not negative; calibrate again");
            }
        }
        checkSymmetric(hessian, name);
        this.hessian = hessian;
        this.scalerRow = scalerRow;
    }

    private LayerInput(Matrix hessian, float[] scalerRow) {
        this.hessian = hessian;
        this.scalerRow = scalerRow;
    }

    /** The same inputs with their components in another order. */
    public LayerInput reordered(ColumnOrder order) {
        float[] scaler = new float[scalerRow.length];
        order.gather(scalerRow, scaler);
        return new LayerInput(order.bothOf(hessian), scaler);
    }

    /** Number of inputs. */
    public int cols() {
        return scalerRow.length;
    }

    /** H [cols, cols] as it was given. */
    public Matrix hessian() {
        return hessian;
    }

    /** s [cols]. */
    public float[] scalerRow() {
        return scalerRow;
    }

    /**
     * The diagonal of the damped Hessian's inverse: G_cc = Σ_k U_kc².
     *
     * @param percdamp what H's diagonal is raised by, of its mean
     * @throws NotPositiveDefiniteException if it has no inverse in float32
     */
    public double[] inverseDiagonal(double percdamp, LinearAlgebra algebra, ThreadTeam team) {
        Matrix upper = damped(percdamp).upper(algebra, team);
        double[] diagonal = new double[upper.cols()];
        for (int k = 0; k < upper.rows(); k++) {
            for (int c = k; c < upper.cols(); c++) {
                diagonal[c] += (double) upper.at(k, c) * upper.at(k, c);
            }
        }
        return diagonal;
    }

    /** The damped Hessian, kept until another damping is asked for. */
    DampedHessian damped(double percdamp) {
        DampedHessian kept = damped;
        if (kept == null || kept.percdamp() != percdamp) {
            damped = null; // one of two can be let go before the other is made
            kept = DampedHessian.of(hessian, percdamp);
            damped = kept;
        }
        return kept;
    }

    private static void checkSymmetric(Matrix h, String name) {
        for (int r = 0; r < h.rows(); r++) {
            if (h.at(r, r) < 0) {
                throw new ObrException("the Hessian of " + name + " has " + h.at(r, r) + " at [" + r + ", " + r
                        + "], but a sum of squares is not negative; calibrate again");
            }
            for (int c = 0; c < r; c++) {
                double bound = 1e-3 * Math.sqrt((double) h.at(r, r) * h.at(c, c)) + 1e-30;
                if (Math.abs(h.at(r, c) - h.at(c, r)) > bound) {
                    throw new ObrException("the Hessian of " + name + " is not symmetric: [" + r + ", " + c + "] is "
                            + h.at(r, c) + ", but [" + c + ", " + r + "] is " + h.at(c, r) + "; calibrate again");
                }
            }
        }
    }
}
