package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.SparseWeights;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Linear layers that share their input, as one product.
 *
 * @param weight of all, one below the other
 * @param bias float32 [features], or null
 * @param order in which the weight takes the columns of its input, or null
 * @param firsts the feature with which each layer begins
 */
record GpuLinear(
        SparseWeights weight,
        @Nullable GpuMemory bias,
        @Nullable InputOrder order,
        List<Integer> firsts) {
    /** The results of one of the layers in those of all. */
    Rows part(int layer, GpuMemory results) {
        return new Rows(results, firsts.get(layer), weight.features());
    }
}
