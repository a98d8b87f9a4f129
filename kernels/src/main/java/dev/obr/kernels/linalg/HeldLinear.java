package dev.obr.kernels.linalg;

import java.lang.foreign.MemorySegment;

/** The float32 weight W [rows, cols] of a linear layer in a device's memory; tokens travel there and back ({@link DeviceAlgebra#multiply}). */
public interface HeldLinear extends AutoCloseable {
    /**
     * One of the products of an input.
     *
     * @param y [tokens, rows], where it comes to
     */
    record Product(HeldLinear linear, MemorySegment y) {}

    /** Whether a product of so many tokens is worth the way. */
    boolean pays(int tokens);

    /** Takes the values of W, row by row. */
    void set(MemorySegment w);

    @Override
    void close();
}
