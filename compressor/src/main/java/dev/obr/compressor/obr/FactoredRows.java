package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.linalg.Matrix;
import java.util.List;

/** Restores rows with one Cholesky factorisation each. */
interface FactoredRows {
    /**
     * What rows are restored of, as in {@link Restoration#restore}.
     *
     * @param restored receives them
     */
    record Layer(
            Matrix weight, Matrix pruned, Mask mask, WeightQuantizer quantizer, ColumnSplit split, Matrix restored) {}

    /** A row whose H_RR has no factor in float32, and the order of its smallest leading block that has none. */
    record Refused(int row, int order) {}

    /**
     * Restores {@code rows}, which keep some entries, but not all.
     *
     * @param h [cols, cols]; the products in {@code layer} do not depend on its diagonal
     * @return those that were not restored, in ascending order
     */
    List<Refused> restore(Matrix h, int[] rows, Layer layer);
}
