package dev.obr.kernels.linalg;

import java.lang.foreign.MemorySegment;

/** The float32 weight W [rows, cols] of a linear layer in a device's memory; tokens travel there and back. */
public interface HeldLinear extends AutoCloseable {
    /** Whether a product of so many tokens is worth the way. */
    boolean pays(int tokens);

    /** Takes the values of W, row by row. */
    void set(MemorySegment w);

    /** {@code Y [tokens, rows] <- X [tokens, cols] · Wᵀ}. */
    void multiply(int tokens, MemorySegment x, MemorySegment y);

    @Override
    void close();
}
