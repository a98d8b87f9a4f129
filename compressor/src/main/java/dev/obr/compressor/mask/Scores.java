package dev.obr.compressor.mask;

import dev.obr.kernels.linalg.Matrix;
import java.util.SplittableRandom;

/** What each weight is worth keeping, by one metric: non-negative, larger is better, [rows, cols]. */
public final class Scores {
    private Scores() {}

    /**
     * {@code |W| · sqrt(s)}.
     *
     * @param scalerRow s [cols], the squared norm of each input column
     */
    public static Matrix wanda(Matrix weight, float[] scalerRow) {
        float[] norm = new float[weight.cols()];
        for (int c = 0; c < norm.length; c++) {
            norm[c] = (float) Math.sqrt(scalerRow[c]);
        }
        Matrix scores = Matrix.zeros(weight.rows(), weight.cols());
        for (int r = 0; r < weight.rows(); r++) {
            for (int c = 0; c < weight.cols(); c++) {
                scores.set(r, c, Math.abs(weight.at(r, c)) * norm[c]);
            }
        }
        return scores;
    }

    /** {@code |W|}. */
    public static Matrix magnitude(Matrix weight) {
        Matrix scores = Matrix.zeros(weight.rows(), weight.cols());
        for (int i = 0; i < scores.values().length; i++) {
            scores.values()[i] = Math.abs(weight.values()[i]);
        }
        return scores;
    }

    /** Draws, each row's from a generator of its own. */
    public static Matrix random(int rows, int cols, long seed) {
        SplittableRandom seeds = new SplittableRandom(seed);
        Matrix scores = Matrix.zeros(rows, cols);
        for (int r = 0; r < rows; r++) {
            SplittableRandom random = seeds.split();
            for (int c = 0; c < cols; c++) {
                scores.set(r, c, (float) random.nextDouble());
            }
        }
        return scores;
    }

    /**
     * {@code W² / diag(U)²}.
     *
     * @param upper U [cols, cols] with H⁻¹ = Uᵀ U of the damped Hessian
     */
    public static Matrix sparseGpt(Matrix weight, Matrix upper) {
        Matrix scores = Matrix.zeros(weight.rows(), weight.cols());
        for (int r = 0; r < weight.rows(); r++) {
            for (int c = 0; c < weight.cols(); c++) {
                scores.set(r, c, sparseGpt(weight.at(r, c), upper.at(c, c)));
            }
        }
        return scores;
    }

    /** One weight's {@code w² / u²}. */
    public static float sparseGpt(float weight, float diagonal) {
        return weight * weight / (diagonal * diagonal);
    }
}
