package dev.obr.compressor.permutation;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.util.List;

/**
 * Spreads the columns that matter most over all groups of a pattern, and puts columns that matter alike into one unit, as a unit is kept or pruned as one:
 *
 * <pre>
 *   S_c  = mean over rows of W_rc² / G_cc,  G = Hd⁻¹       what pruning column c alone costs (Optimal Brain Surgeon)
 *   sort by S, descending; neighbours form units u_0, u_1, .. (pairs, for 4:8p)
 *   group t = u_t, u_q+t, u_2q+t, ..                       q groups: each has one unit of every rank
 * </pre>
 *
 * <p>Columns that fill no whole group, the least of all, stay at the end, where the pattern's padding is.
 */
final class GreedyOrder {
    private GreedyOrder() {}

    /**
     * S [cols] over the rows of all weights.
     *
     * @param weights [rows, cols] that share their input
     * @param inverseDiagonal G_cc [cols], positive
     */
    static double[] scores(List<Matrix> weights, double[] inverseDiagonal) {
        double[] squares = new double[inverseDiagonal.length];
        long rows = 0;
        for (Matrix w : weights) {
            for (int r = 0; r < w.rows(); r++) {
                for (int c = 0; c < squares.length; c++) {
                    squares[c] += (double) w.at(r, c) * w.at(r, c);
                }
            }
            rows += w.rows();
        }
        for (int c = 0; c < squares.length; c++) {
            squares[c] /= rows * inverseDiagonal[c];
        }
        return squares;
    }

    /**
     * The order for a pattern.
     *
     * @param scores S, without NaN
     * @param pattern a grouped one
     */
    static ColumnOrder of(double[] scores, Pattern pattern) {
        ColumnOrder sorted = ColumnOrder.descending(scores);
        int unit = pattern.unit();
        int group = pattern.group();
        int groups = scores.length / group;
        int[] columns = sorted.columns();
        for (int i = 0; i < groups * group; i++) {
            int rank = i % group / unit; // of the unit within its group
            columns[i] = sorted.column((rank * groups + i / group) * unit + i % unit);
        }
        return ColumnOrder.of(columns);
    }
}
