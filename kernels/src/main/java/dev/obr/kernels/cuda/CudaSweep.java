package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.gpu.systems.SweepKernel;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.SweepGrid;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One sweep on a GPU: everything travels once; a kernel sweeps a block of columns, cuBLAS moves its errors into those behind it. */
final class CudaSweep implements AutoCloseable {
    private final CudaDevice device;
    private final CudaStream stream;
    private final CudaBlas blas;
    private final List<CudaMemory> memories = new ArrayList<>();

    CudaSweep(CudaDevice device, CudaStream stream, CudaBlas blas) {
        this.device = device;
        this.stream = stream;
        this.blas = blas;
    }

    /** Sweeps {@code v} in place. */
    void run(Matrix v, Matrix upper, SweepGrid grid, boolean[] kept, int[] firstColumn) {
        int rows = v.rows();
        int cols = v.cols();
        byte[] mask = new byte[kept.length];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (kept[i] ? 1 : 0);
        }
        CudaMemory values = copyIn(MemorySegment.ofArray(v.values()));
        CudaMemory factor = copyIn(MemorySegment.ofArray(upper.values()));
        CudaMemory errors = memory(4L * rows * SweepKernel.WIDTH);
        try (SweepKernel kernel = new SweepKernel(device)) {
            SweepKernel.Operands operands = new SweepKernel.Operands(
                    rows,
                    cols,
                    values,
                    factor,
                    copyIn(MemorySegment.ofArray(mask)),
                    copyIn(MemorySegment.ofArray(grid.scale())),
                    copyIn(MemorySegment.ofArray(grid.zero())),
                    copyIn(MemorySegment.ofArray(firstColumn)),
                    grid.lowest(),
                    grid.highest());
            int pushing = Arrays.stream(firstColumn).min().orElse(cols); // before it, there are no errors
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
            stream.copyOut(values, 0, MemorySegment.ofArray(v.values()));
            stream.synchronize();
        }
    }

    private CudaMemory copyIn(MemorySegment from) {
        CudaMemory memory = memory(from.byteSize());
        stream.copyIn(from, memory, 0);
        return memory;
    }

    private CudaMemory memory(long bytes) {
        CudaMemory memory = device.own(device.allocate(bytes));
        memories.add(memory);
        return memory;
    }

    @Override
    public void close() {
        memories.reversed().forEach(CudaMemory::close);
        memories.clear();
    }
}
