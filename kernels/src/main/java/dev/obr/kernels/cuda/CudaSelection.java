package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.systems.SelectionKernels;
import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;

/** One mask chosen on a GPU: weights go there, as many rows at once as there is memory for, and a byte for each comes back. */
final class CudaSelection implements AutoCloseable {
    private final CudaStream stream;
    private final SelectionKernels kernels;
    private final CallMemory memory;

    CudaSelection(CudaDevice device, CudaStream stream, SelectionKernels kernels) {
        this.stream = stream;
        this.kernels = kernels;
        memory = new CallMemory(device, stream);
    }

    boolean[] run(Matrix weight, ColumnScores scores, Pattern pattern, int pruned) {
        int cols = weight.cols();
        byte[] bytes = new byte[weight.values().length];
        CudaMemory by = memory.copyIn(MemorySegment.ofArray(scores.by()));
        int batch = memory.rowsAtOnce(weight.rows(), (Float.BYTES + 1L) * cols);
        CudaMemory w = memory.of((long) Float.BYTES * batch * cols);
        CudaMemory kept = memory.of((long) batch * cols);
        for (int top = 0; top < weight.rows(); top += batch) {
            int rows = Math.min(batch, weight.rows() - top);
            long first = (long) top * cols;
            long count = (long) rows * cols;
            stream.copyIn(
                    MemorySegment.ofArray(weight.values()).asSlice(Float.BYTES * first, Float.BYTES * count), w, 0);
            kernels.select(stream, rows, cols, w, scores.metric(), by, pattern, pruned, kept);
            stream.copyOut(kept, 0, MemorySegment.ofArray(bytes).asSlice(first, count));
        }
        stream.synchronize();
        boolean[] mask = new boolean[bytes.length];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = bytes[i] != 0;
        }
        return mask;
    }

    @Override
    public void close() {
        memory.close();
    }
}
