package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.gpu.systems.SweepKernel;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.SweepGrid;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** One sweep on a GPU, of as many rows at once as there is memory for: everything travels once; a kernel sweeps a block of columns, cuBLAS moves its errors into those behind it. */
final class CudaSweep implements AutoCloseable {
    private final CudaDevice device;
    private final CudaStream stream;
    private final CudaBlas blas;
    private final SweepKernel kernel;
    private final CallMemory memory;

    CudaSweep(CudaDevice device, CudaStream stream, CudaBlas blas, SweepKernel kernel) {
        this.device = device;
        this.stream = stream;
        this.blas = blas;
        this.kernel = kernel;
        memory = new CallMemory(device, stream);
    }

    /** Sweeps {@code v} in place. */
    void run(Matrix v, Matrix upper, SweepGrid grid, boolean[] kept, int[] firstColumn) {
        int cols = v.cols();
        CudaMemory factor = memory.copyIn(MemorySegment.ofArray(upper.values()));
        int batch = memory.rowsAtOnce(v.rows(), (Float.BYTES + 1L) * cols + 4L * SweepKernel.WIDTH + 12);
        for (int top = 0; top < v.rows(); top += batch) {
            int rows = Math.min(batch, v.rows() - top);
            try (CallMemory ofRows = new CallMemory(device, stream)) {
                sweep(ofRows, v, factor, grid, kept, firstColumn, top, rows);
            }
        }
    }

    private void sweep(
            CallMemory ofRows,
            Matrix v,
            CudaMemory factor,
            SweepGrid grid,
            boolean[] kept,
            int[] firstColumn,
            int top,
            int rows) {
        int cols = v.cols();
        byte[] mask = new byte[rows * cols];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (kept[top * cols + i] ? 1 : 0);
        }
        MemorySegment swept = MemorySegment.ofArray(v.values())
                .asSlice((long) Float.BYTES * top * cols, (long) Float.BYTES * rows * cols);
        int[] firsts = Arrays.copyOfRange(firstColumn, top, top + rows);
        CudaMemory values = ofRows.copyIn(swept);
        CudaMemory errors = ofRows.of(4L * rows * SweepKernel.WIDTH);
        SweepKernel.Operands operands = new SweepKernel.Operands(
                rows,
                cols,
                values,
                factor,
                ofRows.copyIn(MemorySegment.ofArray(mask)),
                ofRows.copyIn(MemorySegment.ofArray(Arrays.copyOfRange(grid.scale(), top, top + rows))),
                ofRows.copyIn(MemorySegment.ofArray(Arrays.copyOfRange(grid.zero(), top, top + rows))),
                ofRows.copyIn(MemorySegment.ofArray(firsts)),
                grid.lowest(),
                grid.highest());
        int pushing = Arrays.stream(firsts).min().orElse(cols); // before it, there are no errors
        for (int begin = 0; begin < cols; begin += SweepKernel.WIDTH) {
            int width = Math.min(SweepKernel.WIDTH, cols - begin);
            int end = begin + width;
            kernel.sweep(stream, operands, begin, width, errors);
            if (end < cols && end > pushing) {
                blas.gemm(
                        Transpose.NO,
                        Transpose.NO,
                        rows,
                        cols - end,
                        width,
                        -1,
                        At.of(errors, SweepKernel.WIDTH),
                        new At(factor, (long) begin * cols + end, cols),
                        1,
                        new At(values, end, cols));
            }
        }
        stream.copyOut(values, 0, swept);
        stream.synchronize();
    }

    @Override
    public void close() {
        memory.close();
    }
}
