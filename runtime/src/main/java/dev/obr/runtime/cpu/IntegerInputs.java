package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What linear layers of one pattern that share an input multiply as integers.
 *
 * @param codes [tokens, bytes of a token], arranged for the pattern
 * @param scales float [tokens]
 */
record IntegerInputs(MemorySegment codes, MemorySegment scales) {
    /** Bytes of memory that {@link #quantized} takes, a multiple of 64. */
    static long bytes(PackedKernels kernels, Pattern pattern, int tokens, int cols) {
        return Math.ceilDiv(tokens * (kernels.inputBytes(pattern, cols) + Float.BYTES), 64) * 64;
    }

    /**
     * Finds every row's scale, reorders and codes it.
     *
     * @param order of the layers' columns, or null: that of x
     * @param floats find the scales
     * @param memory {@link #bytes} or more, aligned to 64
     */
    static IntegerInputs quantized(
            CpuTensor x,
            @Nullable ColumnOrder order,
            ActivationQuantizer quantizer,
            CpuKernels floats,
            PackedKernels kernels,
            Pattern pattern,
            MemorySegment memory,
            ThreadTeam team) {
        long tokenBytes = kernels.inputBytes(pattern, x.cols());
        IntegerInputs inputs = new IntegerInputs(
                memory.asSlice(0, x.rows() * tokenBytes),
                memory.asSlice(x.rows() * tokenBytes, (long) x.rows() * Float.BYTES));
        int parts = Math.min(x.rows(), team.threads());
        team.run(parts, part -> {
            int end = ThreadTeam.split(x.rows(), 1, parts, part + 1);
            float[] row = new float[order == null ? 0 : x.cols()];
            float[] ordered = new float[row.length];
            for (int t = ThreadTeam.split(x.rows(), 1, parts, part); t < end; t++) {
                MemorySegment token = x.from(t);
                float scale = floats.scale(token, x.cols(), quantizer);
                inputs.scales.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) t * Float.BYTES, scale);
                MemorySegment codes = inputs.codes.asSlice(t * tokenBytes, tokenBytes);
                if (order != null) {
                    MemorySegment.copy(token, ValueLayout.JAVA_FLOAT, 0, row, 0, row.length);
                    order.gather(row, ordered);
                    token = MemorySegment.ofArray(ordered);
                }
                kernels.code(pattern, x.cols(), token, scale, quantizer, codes);
            }
        });
        return inputs;
    }
}
