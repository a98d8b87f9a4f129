package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.DeviceScratch.Use;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.ProductSum;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;

/** A sum of products that stays on a GPU; what its stream and operands belong to is locked while it computes. */
final class CudaProductSum implements ProductSum {
    private final CudaLinearAlgebra owner;
    private final CudaStream stream;
    private final CudaBlas blas;
    private final DeviceOperands operands;
    private final Matrix value;
    private final CudaMemory memory;
    private boolean closed;

    CudaProductSum(
            CudaLinearAlgebra owner,
            CudaDevice device,
            CudaStream stream,
            CudaBlas blas,
            DeviceOperands operands,
            int m,
            int n) {
        this.owner = owner;
        this.stream = stream;
        this.blas = blas;
        this.operands = operands;
        value = Matrix.zeros(m, n);
        synchronized (owner) {
            memory = device.own(device.allocate(Math.max(4, 4L * m * n)));
            stream.fill(memory, 0, memory.byteSize(), (byte) 0);
        }
    }

    @Override
    public void add(int k, Block x, Block y) {
        int m = value.rows();
        int n = value.cols();
        synchronized (owner) {
            At a = operands.factor(Use.A, new HostRectangle(x, k, m));
            At b = operands.factor(Use.B, new HostRectangle(y, k, n));
            blas.gemm(Transpose.YES, Transpose.NO, m, n, k, 1, a, b, 1, At.of(memory, n));
            stream.synchronize(); // the next call writes the operands' places
        }
    }

    @Override
    public void addGram(int k, Block x) {
        int n = value.cols();
        synchronized (owner) {
            blas.syrk(n, k, 1, operands.factor(Use.A, new HostRectangle(x, k, n)), At.of(memory, n));
            stream.synchronize();
        }
    }

    @Override
    public Matrix value() {
        synchronized (owner) {
            stream.copyOut(memory, 0, MemorySegment.ofArray(value.values()));
            stream.synchronize();
        }
        return value;
    }

    @Override
    public void close() {
        synchronized (owner) {
            if (!closed) {
                closed = true;
                memory.close();
            }
        }
    }
}
