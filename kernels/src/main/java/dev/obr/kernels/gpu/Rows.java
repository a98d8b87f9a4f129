package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;

/**
 * Rows of a matrix in a device's memory, or of some of its columns.
 *
 * @param memory that holds them
 * @param first element of the first row
 * @param stride elements from one row to the next
 */
public record Rows(GpuMemory memory, long first, int stride) {
    /** Rows one behind the other, from the memory's beginning on. */
    public static Rows of(GpuMemory memory, int columns) {
        return new Rows(memory, 0, columns);
    }

    /** Makes sure that so many elements of so many rows are there. */
    public void check(String what, int rows, int columns, int elementBytes) {
        if (first < 0 || stride < columns) {
            throw new ObrException("rows of " + columns + " " + what + " do not fit " + stride
                    + " elements from element " + first + " on");
        }
        memory.requireBytes(what, (first + (long) (rows - 1) * stride + columns) * elementBytes);
    }
}
