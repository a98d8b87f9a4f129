package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.Pattern;
import org.jspecify.annotations.Nullable;

/** A linear layer's product: weights on one pattern with activations of one type. */
public enum ProductKernel {
    HALF("fp16", null, null),
    DENSE_INT4("dense s4", Pattern.DENSE, TokenLayout.INT4),
    DENSE_INT8("dense s8", Pattern.DENSE, TokenLayout.INT8),
    PAIRS_INT4("4:8p s4", Pattern.PAIRS_4_OF_8, TokenLayout.INT4),
    PAIRS_INT8("4:8p s8", Pattern.PAIRS_4_OF_8, TokenLayout.INT8),
    FOURS_INT8("2:4 s8", Pattern.TWO_OF_FOUR, TokenLayout.INT8),
    BITMAP_INT8("unstructured s8", Pattern.UNSTRUCTURED, TokenLayout.INT8);

    private final String label;
    private final @Nullable Pattern pattern;
    private final @Nullable TokenLayout layout;

    ProductKernel(String label, @Nullable Pattern pattern, @Nullable TokenLayout layout) {
        this.label = label;
        this.pattern = pattern;
        this.layout = layout;
    }

    /** What tables call it. */
    public String label() {
        return label;
    }

    /** Of the weights; none for half floats. */
    public @Nullable Pattern pattern() {
        return pattern;
    }

    /** Of the activations; none for half floats. */
    public @Nullable TokenLayout layout() {
        return layout;
    }

    /** Whether the GPU's tensor cores have the instruction. */
    public boolean runsOn(Gpu gpu) {
        return layout != TokenLayout.INT4 || gpu.capability().multipliesInt4();
    }
}
