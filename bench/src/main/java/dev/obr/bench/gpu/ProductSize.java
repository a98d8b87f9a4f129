package dev.obr.bench.gpu;

/** The extents of a linear layer's product: y [tokens, features] = W [features, columns] . x [tokens, columns]. */
public record ProductSize(int tokens, int features, int columns) {
    /** Multiplications and additions, as of dense weights. */
    public double operations() {
        return 2.0 * tokens * features * columns;
    }
}
