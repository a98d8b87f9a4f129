package dev.obr.models.packed;

import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import java.util.List;

/**
 * What a model takes, in memory as on disk, by its shape alone.
 *
 * @param weights of the decoder's linear layers
 * @param linear bytes of these, packed
 * @param outside bytes of everything else: the embedding in half precision, a head of its own, as rotation makes them differ; norms in float32
 */
public record PackedSize(long weights, long linear, long outside) {
    /**
     * Of a packed model.
     *
     * @param bits of a code, 4 or 8
     * @param sparsity share of each row that {@link Pattern#UNSTRUCTURED} prunes
     * @param headBits of the head's codes: 4 or 8, or 16 for half floats
     */
    public static PackedSize of(ModelConfig config, Pattern pattern, int bits, double sparsity, int headBits) {
        long weights = 0;
        long linear = 0;
        long outside = headBits == 16
                ? 2L * config.vocabularySize() * config.hiddenSize()
                : Packing.byteSize(Pattern.DENSE, headBits, config.vocabularySize(), config.hiddenSize(), 0);
        for (var tensor :
                new ExpectedWeights(config, AttentionBias.NONE).shapes().entrySet()) {
            List<Integer> shape = tensor.getValue();
            if (shape.size() == 1) {
                outside += 4L * shape.getFirst();
            } else if (tensor.getKey().startsWith("model.layers.")) {
                int rows = shape.get(0);
                int cols = shape.get(1);
                weights += (long) rows * cols;
                linear += Packing.byteSize(pattern, bits, rows, cols, cols - (int) (cols * sparsity));
            } else if (!tensor.getKey().equals(ExpectedWeights.HEAD)) {
                outside += 2L * shape.get(0) * shape.get(1);
            }
        }
        return new PackedSize(weights, linear, outside);
    }

    /** Bits that a weight of the linear layers takes, scales included. */
    public double bitsPerWeight() {
        return 8.0 * linear / weights;
    }
}
