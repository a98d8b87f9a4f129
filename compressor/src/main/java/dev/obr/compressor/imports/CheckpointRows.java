package dev.obr.compressor.imports;

import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.Weight;
import java.lang.foreign.MemorySegment;

/** Tensors of a checkpoint as float32. */
final class CheckpointRows {
    private static final ScalarKernels KERNELS = new ScalarKernels();

    private CheckpointRows() {}

    /** Rows {@code from <= r < from + count} of a matrix. */
    static Matrix of(WeightMatrix stored, int from, int count) {
        Matrix rows = Matrix.zeros(count, stored.cols());
        MemorySegment values = MemorySegment.ofArray(rows.values());
        long bytes = 4L * stored.cols();
        for (int r = 0; r < count; r++) {
            KERNELS.dequantizeRow(stored, from + r, values.asSlice(r * bytes, bytes));
        }
        return rows;
    }

    /** All values of a norm or bias. */
    static float[] vector(Weight weight) {
        return of(new WeightMatrix(weight.type(), 1, Math.toIntExact(weight.elements()), weight.memory()), 0, 1)
                .values();
    }
}
