package dev.obr.compressor.mask;

import dev.obr.kernels.linalg.ColumnScores;
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
    public static ColumnScores wanda(float[] scalerRow) {
        float[] norm = new float[scalerRow.length];
        for (int c = 0; c < norm.length; c++) {
            norm[c] = (float) Math.sqrt(scalerRow[c]);
        }
        return new ColumnScores(ColumnScores.Metric.WANDA, norm);
    }

    /** {@code |W|}. */
    public static ColumnScores magnitude(int cols) {
        return new ColumnScores(ColumnScores.Metric.MAGNITUDE, new float[cols]);
    }

    /**
     * {@code W² / diag(U)²}.
     *
     * @param upper U [cols, cols] with H⁻¹ = Uᵀ U of the damped Hessian
     */
    public static ColumnScores sparseGpt(Matrix upper) {
        float[] diagonal = new float[upper.cols()];
        for (int c = 0; c < diagonal.length; c++) {
            diagonal[c] = upper.at(c, c);
        }
        return new ColumnScores(ColumnScores.Metric.SPARSEGPT, diagonal);
    }

    /** The scores [rows, cols] of {@code weight}. */
    public static Matrix of(Matrix weight, ColumnScores scores) {
        Matrix all = Matrix.zeros(weight.rows(), weight.cols());
        for (int r = 0; r < weight.rows(); r++) {
            for (int c = 0; c < weight.cols(); c++) {
                all.set(r, c, scores.of(weight.at(r, c), c));
            }
        }
        return all;
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

    /** One weight's {@code w² / u²}. */
    public static float sparseGpt(float weight, float diagonal) {
        return weight * weight / (diagonal * diagonal);
    }
}
