package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.linalg.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Moves each row's kept weights so that they make up for what pruning and rounding take away, row by row in closed form (OBR paper, equations 8 to 10; with the sign that minimises the loss).
 *
 * <pre>
 *   R kept, E pruned:           w'_R = w_R + H_RR⁻¹ H_RE w_E
 *   E2 = R before the split:    e    = w'_E2 - round(w'_E2)
 *   R2 = R from the split on:   w'_R2 += H_R2R2⁻¹ H_R2E2 e
 * </pre>
 *
 * <p>Rows that keep everything or nothing are left as they are, as in the published code.
 */
interface Restoration {
    /**
     * The restored weights [rows, cols], zero where the mask is.
     *
     * @param weight [rows, cols] before pruning, zero in dead columns
     * @param pruned {@code (W ∘ (1 - M)) · H} [rows, cols]
     */
    Matrix restore(Matrix weight, Matrix pruned, Mask mask, WeightQuantizer quantizer, ColumnSplit split);

    /** What is known of the error of the last {@link #restore}; null if it is exact but for rounding. */
    @Nullable
    Certificate certificate();

    /** Sentences about the last {@link #restore} that a reader of the report should see. */
    default List<String> notes() {
        return List.of();
    }
}
