package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What linear layers that share an input multiply.
 *
 * @param values x [tokens, in], or its codes, in the order of the layers' columns
 * @param scales [tokens] of the codes; null where the values are floats
 */
record LinearInputs(CpuTensor values, float @Nullable [] scales) {
    /**
     * Quantises every row of x.
     *
     * @param order of the layers' columns, or null: that of x
     * @param codes [tokens, in], receives the codes, or in a simulation what they stand for
     * @param simulated whether the codes are multiplied by their scale at once
     */
    static LinearInputs quantized(
            CpuTensor x,
            @Nullable ColumnOrder order,
            ActivationQuantizer quantizer,
            boolean simulated,
            CpuTensor codes,
            ThreadTeam team) {
        float[] scales = new float[x.rows()];
        copyRows(x, order, codes, team, (t, row) -> {
            scales[t] = quantizer.quantize(row, 0, row.length);
            for (int c = 0; simulated && c < row.length; c++) {
                row[c] *= scales[t];
            }
        });
        return new LinearInputs(codes, simulated ? null : scales);
    }

    /**
     * Reorders every row of x.
     *
     * @param values [tokens, in], receives the reordered rows
     */
    static LinearInputs gathered(CpuTensor x, ColumnOrder order, CpuTensor values, ThreadTeam team) {
        copyRows(x, order, values, team, (t, row) -> {});
        return new LinearInputs(values, null);
    }

    private interface Row {
        void change(int token, float[] row);
    }

    /** Copies x row by row, each changed in place first and then put in order. */
    private static void copyRows(
            CpuTensor x, @Nullable ColumnOrder order, CpuTensor copy, ThreadTeam team, Row change) {
        int parts = Math.min(x.rows(), team.threads());
        team.run(parts, part -> {
            float[] row = new float[x.cols()];
            float[] ordered = order == null ? row : new float[x.cols()];
            int end = ThreadTeam.split(x.rows(), 1, parts, part + 1);
            for (int t = ThreadTeam.split(x.rows(), 1, parts, part); t < end; t++) {
                MemorySegment.copy(x.from(t), ValueLayout.JAVA_FLOAT, 0, row, 0, row.length);
                change.change(t, row);
                if (order != null) {
                    order.gather(row, ordered);
                }
                MemorySegment.copy(ordered, 0, copy.from(t), ValueLayout.JAVA_FLOAT, 0, ordered.length);
            }
        });
    }
}
