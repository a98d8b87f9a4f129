package dev.obr.compressor.mask;

import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;

/**
 * Prunes the entries of least score as a pattern allows. Equal scores are pruned from the left.
 *
 * <p>Grouped patterns count over columns padded with zeros to whole groups. Padding is pruned first, so that the last group keeps as many weights as it can; where there is more padding
 * than the group may prune, some padding is kept, in the packed layout with code 0.
 */
public final class MaskSelection {
    private MaskSelection() {}

    /** The mask [rows, cols] of a weight's scores, chosen on the device where {@code algebra} has one; equal ones to the bit. */
    public static Mask select(
            LinearAlgebra algebra, Matrix weight, ColumnScores scores, Pattern pattern, double sparsity) {
        if (algebra.device().isEmpty() || pattern == Pattern.DENSE) {
            return select(Scores.of(weight, scores), pattern, sparsity);
        }
        boolean[] kept = algebra.device().get().select(weight, scores, pattern, pruned(weight.cols(), sparsity));
        return new Mask(weight.rows(), weight.cols(), kept);
    }

    /** How many of a row an unstructured mask prunes. */
    private static int pruned(int cols, double sparsity) {
        return (int) (cols * sparsity);
    }

    /**
     * The mask [rows, cols] of these scores.
     *
     * @param scores non-negative
     * @param sparsity share of each row that is pruned, in [0, 1); only {@link Pattern#UNSTRUCTURED} asks for it
     */
    public static Mask select(Matrix scores, Pattern pattern, double sparsity) {
        Mask mask = Mask.dense(scores.rows(), scores.cols());
        if (pattern == Pattern.UNSTRUCTURED) {
            int pruned = pruned(scores.cols(), sparsity);
            for (int r = 0; r < scores.rows(); r++) {
                prune(mask.kept(), r * scores.cols(), scores.values(), r * scores.cols(), scores.cols(), 1, pruned);
            }
        } else if (pattern.grouped()) {
            for (int r = 0; r < scores.rows(); r++) {
                for (int c = 0; c < scores.cols(); c += pattern.group()) {
                    pruneGroup(
                            pattern,
                            scores.values(),
                            r * scores.cols() + c,
                            scores.cols() - c,
                            mask.kept(),
                            r * scores.cols() + c);
                }
            }
        }
        return mask;
    }

    /**
     * Prunes one aligned group.
     *
     * @param scores of the group's weights from {@code from} on
     * @param available columns from the group's first to the weight's last; fewer than a group where the last one is padded
     * @param kept receives false for what is pruned, from {@code to} on; what is kept stays as it is
     */
    public static void pruneGroup(Pattern pattern, float[] scores, int from, int available, boolean[] kept, int to) {
        int unit = pattern.unit();
        int weights = Math.min(pattern.group(), available);
        int padding = pattern.group() / unit - Math.ceilDiv(weights, unit);
        int pruned = Math.max(0, (pattern.group() - pattern.keptPerGroup()) / unit - padding);
        prune(kept, to, scores, from, weights, unit, pruned);
    }

    /** Prunes the {@code pruned} units of least score among {@code count} weights; a unit's score is the root of its squares' sum. */
    private static void prune(boolean[] kept, int to, float[] scores, int from, int count, int unit, int pruned) {
        long[] ranked = new long[Math.ceilDiv(count, unit)]; // score's bits (which sort as it does) above, index below
        for (int u = 0; u < ranked.length; u++) {
            float score = scores[from + u * unit];
            if (unit > 1) {
                double squares = 0;
                for (int c = u * unit; c < Math.min((u + 1) * unit, count); c++) {
                    squares += (double) scores[from + c] * scores[from + c];
                }
                score = (float) Math.sqrt(squares);
            }
            ranked[u] = (long) Float.floatToRawIntBits(score) << 32 | u;
        }
        Arrays.sort(ranked);
        for (int i = 0; i < pruned; i++) {
            int u = (int) ranked[i];
            for (int c = u * unit; c < Math.min((u + 1) * unit, count); c++) {
                kept[to + c] = false;
            }
        }
    }
}
