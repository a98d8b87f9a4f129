package dev.obr.bench.roofline;

import dev.obr.models.ModelConfig;
import java.util.Comparator;
import java.util.List;

/**
 * A step of a whole model as modelled.
 *
 * @param tokens that it computes
 * @param layer launches of one of its layers
 * @param head the head's product
 */
public record ModelStep(Gpu gpu, ModelConfig model, ProductKernel kernel, int tokens, List<Part> layer, Part head) {
    public ModelStep {
        layer = List.copyOf(layer);
    }

    /** Of a layer's products. */
    public double linearSeconds() {
        return layer.stream()
                .filter(part -> part.launch().operations() > 0)
                .mapToDouble(Part::seconds)
                .sum();
    }

    /** Of a layer. */
    public double layerSeconds() {
        return layer.stream().mapToDouble(Part::seconds).sum();
    }

    /** Whether the layer's launches are all there: of half floats there are products alone. */
    public boolean whole() {
        return kernel != ProductKernel.HALF;
    }

    /** Of all layers and the head; norm of the head, embedding and the choice of a token are left out, microseconds. */
    public double tokensPerSecond() {
        return tokens / (model.layers() * layerSeconds() + head.seconds());
    }

    /** Launches of a step. */
    public int launches() {
        return model.layers() * layer.stream().mapToInt(Part::times).sum() + 1;
    }

    /** What takes most of a layer. */
    public Part longest() {
        return layer.stream().max(Comparator.comparingDouble(Part::seconds)).orElseThrow();
    }
}
