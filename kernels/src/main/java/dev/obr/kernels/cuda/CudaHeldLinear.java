package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.DeviceScratch.Use;
import dev.obr.kernels.linalg.HeldLinear;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;

/** A linear layer's weight on a GPU; what its stream and scratch memory belong to is locked while it computes. */
final class CudaHeldLinear implements HeldLinear {
    private final CudaLinearAlgebra owner;
    private final CudaStream stream;
    private final CudaBlas blas;
    private final DeviceScratch scratch;
    private final CudaMemory w; // [rows][cols]
    private final int rows;
    private final int cols;

    CudaHeldLinear(
            CudaLinearAlgebra owner,
            CudaStream stream,
            CudaBlas blas,
            DeviceScratch scratch,
            CudaMemory w,
            int rows,
            int cols) {
        this.owner = owner;
        this.stream = stream;
        this.blas = blas;
        this.scratch = scratch;
        this.w = w;
        this.rows = rows;
        this.cols = cols;
    }

    @Override
    public boolean pays(int tokens) {
        return owner.pays((long) tokens * rows * cols, (long) Float.BYTES * tokens * (rows + cols));
    }

    @Override
    public void set(MemorySegment weight) {
        synchronized (owner) {
            stream.copyIn(weight, w, 0);
            stream.synchronize();
        }
    }

    @Override
    public void multiply(int tokens, MemorySegment x, MemorySegment y) {
        synchronized (owner) {
            At from = At.of(scratch.of(Use.A, 4L * tokens * cols), cols);
            At to = At.of(scratch.of(Use.C, 4L * tokens * rows), rows);
            stream.copyIn(x, from.memory(), 0);
            blas.gemm(Transpose.NO, Transpose.YES, tokens, rows, cols, 1, from, At.of(w, cols), 0, to);
            stream.copyOut(to.memory(), 0, y);
            stream.synchronize();
        }
    }

    @Override
    public void close() {
        synchronized (owner) {
            w.close();
        }
    }
}
