package dev.obr.compressor.obr;

import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.SweepGrid;
import dev.obr.kernels.linalg.Transpose;
import java.util.Arrays;

/**
 * Rounds column after column and moves each error into the columns after it (GPTQ, arXiv 2210.17323, with SparseGPT's masks).
 *
 * <pre>
 *   q   = round(v_j) where kept, else 0
 *   v_i -= (v_j - q) / U_jj · U_ji       for i > j,  H⁻¹ = Uᵀ U
 * </pre>
 *
 * <p>Columns go in blocks: inside one each row is updated alone, the columns after it by one product. The result is that of going column by column, but for rounding. A device sweeps masks that were chosen before,
 * where a row has one scale.
 */
final class GptqSweep {
    /** Rows that a thread takes at once: their block of errors fits the second-level cache. */
    private static final int ROWS = 64;

    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final Matrix upper;
    private final int blockSize;

    /** @param upper U [cols, cols] */
    GptqSweep(LinearAlgebra algebra, ThreadTeam team, Matrix upper, int blockSize) {
        this.algebra = algebra;
        this.team = team;
        this.upper = upper;
        this.blockSize = blockSize;
    }

    /**
     * Sweeps in place: afterwards {@code v} holds values of the grid.
     *
     * @param v [rows, cols]; columns before a row's {@code firstColumn} are rounded and push no error
     * @param firstColumn [rows]
     */
    void run(Matrix v, WeightQuantizer quantizer, SweepMask mask, int[] firstColumn) {
        int cols = v.cols();
        if (algebra.device().isPresent() && mask instanceof SweepMask.Fixed fixed && quantizer.groupSize() >= cols) {
            SweepGrid grid = new SweepGrid(
                    quantizer.scale(),
                    quantizer.zero(),
                    quantizer.grid().lowest(),
                    quantizer.grid().highest());
            algebra.device().get().sweep(v, upper, grid, fixed.mask().kept(), firstColumn);
            return;
        }
        int start = Arrays.stream(firstColumn).min().orElse(cols);
        roundBefore(v, quantizer, mask, start);
        for (int from = start; from < cols; from += blockSize) {
            int begin = from;
            int end = Math.min(from + blockSize, cols);
            mask.beginBlock(v, begin, end);
            team.run(Math.ceilDiv(v.rows(), ROWS), part -> {
                int top = part * ROWS;
                int rows = Math.min(ROWS, v.rows() - top);
                float[] errors = new float[rows * (end - begin)];
                for (int r = 0; r < rows; r++) {
                    refitGroups(v, quantizer, top + r, begin, end);
                    sweepRow(v, quantizer, mask, top + r, begin, end, firstColumn[top + r], errors, r * (end - begin));
                }
                // V[rows, end..] -= errors [rows, block] · U[block, end..]
                algebra.gemm(
                        Transpose.NO,
                        Transpose.NO,
                        rows,
                        cols - end,
                        end - begin,
                        -1,
                        new Block(errors, 0, end - begin),
                        Block.at(upper, begin, Math.min(end, cols - 1)),
                        1,
                        Block.at(v, top, Math.min(end, cols - 1)));
            });
        }
    }

    private void roundBefore(Matrix v, WeightQuantizer quantizer, SweepMask mask, int start) {
        team.run(v.rows(), row -> {
            for (int c = 0; c < start; c++) {
                v.set(row, c, mask.keeps(row, c) ? quantizer.round(row, c, v.at(row, c)) : 0);
            }
        });
    }

    /** Groups that begin in this block get the scale of their weights as updated by the blocks before, as in GPTQ's code. */
    private static void refitGroups(Matrix v, WeightQuantizer quantizer, int row, int begin, int end) {
        int size = quantizer.groupSize();
        if (size >= v.cols()) {
            return;
        }
        for (int group = Math.ceilDiv(begin, size); group * size < end; group++) {
            quantizer.refit(v, row, group);
        }
    }

    private void sweepRow(
            Matrix v,
            WeightQuantizer quantizer,
            SweepMask mask,
            int row,
            int begin,
            int end,
            int first,
            float[] errors,
            int at) {
        float[] values = v.values();
        int offset = row * v.cols();
        for (int j = begin; j < end; j++) {
            mask.beginColumn(v, row, j);
            float value = values[offset + j];
            float rounded = mask.keeps(row, j) ? quantizer.round(row, j, value) : 0;
            values[offset + j] = rounded;
            if (j < first) {
                continue;
            }
            int diagonal = j * upper.cols() + j;
            float error = (value - rounded) / upper.values()[diagonal];
            errors[at + j - begin] = error;
            for (int i = 1; i < end - j; i++) {
                values[offset + j + i] -= error * upper.values()[diagonal + i];
            }
        }
    }
}
