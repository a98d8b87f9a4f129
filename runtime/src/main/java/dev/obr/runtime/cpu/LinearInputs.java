package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What linear layers that share an input multiply.
 *
 * @param values x [tokens, in], or its codes
 * @param scales [tokens] of the codes; null where the values are floats
 */
record LinearInputs(CpuTensor values, float @Nullable [] scales) {
    /**
     * Quantises every row of x.
     *
     * @param codes [tokens, in], receives the codes, or in a simulation what they stand for
     * @param simulated whether the codes are multiplied by their scale at once
     */
    static LinearInputs quantized(
            CpuTensor x, ActivationQuantizer quantizer, boolean simulated, CpuTensor codes, ThreadTeam team) {
        float[] scales = new float[x.rows()];
        int parts = Math.min(x.rows(), team.threads());
        team.run(parts, part -> {
            float[] row = new float[x.cols()];
            int end = (int) ((long) x.rows() * (part + 1) / parts);
            for (int t = (int) ((long) x.rows() * part / parts); t < end; t++) {
                MemorySegment.copy(x.from(t), ValueLayout.JAVA_FLOAT, 0, row, 0, row.length);
                scales[t] = quantizer.quantize(row, 0, row.length);
                for (int c = 0; simulated && c < row.length; c++) {
                    row[c] *= scales[t];
                }
                MemorySegment.copy(row, 0, codes.from(t), ValueLayout.JAVA_FLOAT, 0, row.length);
            }
        });
        return new LinearInputs(codes, simulated ? null : scales);
    }
}
