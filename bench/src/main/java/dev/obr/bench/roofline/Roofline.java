package dev.obr.bench.roofline;

/** Models launches. What a kernel's block does is counted once, on first use, and then serves all GPUs. */
public final class Roofline {
    /**
     * The product of a linear layer.
     *
     * @param tokens rows of activations
     * @param features output channels
     * @param columns input channels
     */
    public Modelled product(Gpu gpu, ProductKernel kernel, int tokens, int features, int columns) {
        throw new UnsupportedOperationException(kernel.label());
    }
}
