package dev.obr.runtime.cpu;

import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.MemorySegment;

/** Activations [rows, cols] off the heap, rows without padding. */
record CpuTensor(MemorySegment memory, int rows, int cols) implements Tensor {
    @Override
    public CpuTensor rows(int from, int count) {
        return new CpuTensor(memory.asSlice(4L * from * cols, 4L * count * cols), count, cols);
    }

    @Override
    public CpuTensor reshape(int newRows, int newCols) {
        if ((long) newRows * newCols != (long) rows * cols) {
            throw new IllegalArgumentException(
                    "[" + rows + ", " + cols + "] cannot be seen as [" + newRows + ", " + newCols + "]");
        }
        return new CpuTensor(memory, newRows, newCols);
    }

    /** Row {@code r} and what follows it. */
    MemorySegment from(int r) {
        return memory.asSlice(4L * r * cols);
    }
}
