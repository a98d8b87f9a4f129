package dev.obr.models;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One tensor of a model, in place in its memory-mapped file.
 *
 * @param name its Hugging Face name, e.g. {@code model.layers.0.self_attn.q_proj.weight}, whatever the file calls it
 * @param type how it is stored
 * @param shape outermost dimension first
 * @param memory its bytes, row-major
 */
public record Weight(String name, DType type, List<Integer> shape, MemorySegment memory) {
    public Weight {
        shape = List.copyOf(shape);
    }

    /** Number of elements. */
    public long elements() {
        long n = 1;
        for (int d : shape) {
            n *= d;
        }
        return n;
    }

    /** The tensor as W [out, in]. */
    public WeightMatrix matrix() {
        if (shape.size() != 2) {
            throw new IllegalStateException(name + " has shape " + shape + ", not that of a matrix");
        }
        return new WeightMatrix(type, shape.get(0), shape.get(1), memory);
    }

    /** A vector as a matrix of one row: norms and biases. */
    public WeightMatrix vector() {
        if (shape.size() != 1) {
            throw new IllegalStateException(name + " has shape " + shape + ", not that of a vector");
        }
        return new WeightMatrix(type, 1, shape.get(0), memory);
    }
}
