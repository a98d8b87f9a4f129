package dev.obr.compressor.permutation;

import dev.obr.compressor.obr.LayerInput;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * What became of the search for an order.
 *
 * @param order of the columns, or null: as they are
 * @param note for the report: what was gained, or why the columns stay; null where nothing was looked for
 */
public record OrderChoice(
        @Nullable ColumnOrder order, @Nullable String note) {
    /** The columns as they are, without a word. */
    static final OrderChoice NONE = new OrderChoice(null, null);

    /** The weight as it is to be compressed: itself, or with its columns in order. */
    public Matrix columnsOf(Matrix weight) {
        return order == null ? weight : order.columnsOf(weight);
    }

    /** What the inputs of {@link #columnsOf} are like. */
    public LayerInput reordered(LayerInput input) {
        return order == null ? input : input.reordered(order);
    }
}
