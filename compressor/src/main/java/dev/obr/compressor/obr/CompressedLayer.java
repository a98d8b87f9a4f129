package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.kernels.linalg.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer [rows, cols] after compression.
 *
 * @param codes [rows, cols], the zero point where pruned: signed, in [-2^(b-1), 2^(b-1) - 1], of a symmetric grid; unsigned, in [0, 2^b - 1], of an asymmetric one
 * @param scale [rows], below 0 only by {@link Method#OBR_PLUS}; entry (r, c) is {@code scale[r] · (code - zero[r])}
 * @param zero [rows], whole numbers; 0 in a symmetric grid
 * @param mask what was kept; a kept weight may have been rounded to zero
 * @param dequantized [rows, cols]
 * @param lossBefore proxy loss of pruning with this mask and rounding, nothing restored
 * @param loss proxy loss of the result: {@code tr((W - Ŵ) H (W - Ŵ)ᵀ)}, H undamped
 * @param certificate how exact the rows' solutions are; null where they were factored, or none were needed
 * @param notes sentences that a reader of the report should see, such as a raised damping
 */
public record CompressedLayer(
        byte[] codes,
        float[] scale,
        float[] zero,
        Mask mask,
        Matrix dequantized,
        double lossBefore,
        double loss,
        @Nullable Certificate certificate,
        List<String> notes) {
    public CompressedLayer {
        notes = List.copyOf(notes);
    }

    /** Share of weights that are exactly zero, pruned or rounded to it. */
    public double zeroShare() {
        long zeros = 0;
        for (float value : dequantized.values()) {
            zeros += value == 0 ? 1 : 0;
        }
        return dequantized.values().length == 0 ? 0 : (double) zeros / dequantized.values().length;
    }
}
