package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.linalg.HeldLinear;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;

/** A linear layer's weight on a GPU; what its stream belongs to is locked while it travels. */
final class CudaHeldLinear implements HeldLinear {
    private final CudaLinearAlgebra owner;
    private final CudaStream stream;
    private final CudaMemory w; // [rows][cols]
    private final int rows;
    private final int cols;

    CudaHeldLinear(CudaLinearAlgebra owner, CudaStream stream, CudaMemory w, int rows, int cols) {
        this.owner = owner;
        this.stream = stream;
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

    /** Queues {@code Y [tokens, rows] <- X [tokens, cols] · Wᵀ}; X was given as so many bytes. */
    void multiply(CudaBlas blas, int tokens, CudaMemory x, long bytes, CudaMemory y) {
        if (bytes != (long) Float.BYTES * tokens * cols) {
            throw new IllegalArgumentException(tokens + " tokens of " + cols + " columns are not " + bytes + " bytes");
        }
        blas.gemm(
                Transpose.NO, Transpose.YES, tokens, rows, cols, 1, At.of(x, cols), At.of(w, cols), 0, At.of(y, rows));
    }

    @Override
    public void close() {
        synchronized (owner) {
            w.close();
        }
    }
}
