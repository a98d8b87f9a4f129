package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.mask.MaskSelection;
import dev.obr.compressor.mask.Scores;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;

/**
 * SparseGPT's mask, chosen during the sweep from weights as updated so far: unstructured ones block by block over all rows together (so single rows keep more or less than their share),
 * grouped ones when a row reaches the group.
 */
final class SparseGptMask implements SweepMask {
    private final Mask mask;
    private final Matrix upper;
    private final Pattern pattern;
    private final double sparsity;

    /** @param upper U [cols, cols] with H⁻¹ = Uᵀ U */
    SparseGptMask(int rows, Matrix upper, Pattern pattern, double sparsity) {
        this.mask = Mask.dense(rows, upper.cols());
        this.upper = upper;
        this.pattern = pattern;
        this.sparsity = sparsity;
    }

    /** Prunes everything up to the score at the threshold's rank, so one entry more than the exact share. */
    @Override
    public void beginBlock(Matrix weight, int from, int to) {
        if (pattern != Pattern.UNSTRUCTURED || sparsity == 0) {
            return;
        }
        int width = to - from;
        float[] scores = new float[weight.rows() * width];
        for (int r = 0; r < weight.rows(); r++) {
            for (int c = from; c < to; c++) {
                scores[r * width + c - from] = Scores.sparseGpt(weight.at(r, c), upper.at(c, c));
            }
        }
        float[] ranked = scores.clone();
        Arrays.parallelSort(ranked);
        float threshold = ranked[(int) (ranked.length * sparsity)];
        for (int r = 0; r < weight.rows(); r++) {
            for (int c = from; c < to; c++) {
                mask.kept()[r * mask.cols() + c] = scores[r * width + c - from] > threshold;
            }
        }
    }

    @Override
    public void beginColumn(Matrix weight, int row, int col) {
        if (!pattern.grouped() || col % pattern.group() != 0) {
            return;
        }
        float[] scores = new float[Math.min(pattern.group(), mask.cols() - col)];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Scores.sparseGpt(weight.at(row, col + i), upper.at(col + i, col + i));
        }
        MaskSelection.pruneGroup(pattern, scores, 0, scores.length, mask.kept(), row * mask.cols() + col);
    }

    @Override
    public boolean keeps(int row, int col) {
        return mask.keeps(row, col);
    }

    /** What was chosen. */
    Mask mask() {
        return mask;
    }
}
