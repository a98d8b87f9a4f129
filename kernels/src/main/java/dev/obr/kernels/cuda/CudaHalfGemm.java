package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import org.jspecify.annotations.Nullable;

/** Products of half floats by cuBLAS: what our kernels are compared with. */
public final class CudaHalfGemm implements AutoCloseable {
    private final CudaDevice device;
    private @Nullable CudaStream stream;
    private @Nullable CudaBlas blas;

    /** @throws dev.obr.kernels.ObrException where cuBLAS is missing */
    public CudaHalfGemm(CudaDevice device) {
        CudaLibraries.requireBlas();
        this.device = device;
    }

    /**
     * Queues y = W . x; it cannot be recorded in a graph.
     *
     * @param w fp16 [features, columns]
     * @param x fp16 [tokens, columns]
     * @param y fp16 [tokens, features]
     */
    public void multiply(
            GpuStream stream, GpuMemory w, GpuMemory x, int tokens, int features, int columns, GpuMemory y) {
        w.requireBytes("weights", 2L * features * columns);
        x.requireBytes("activations", 2L * tokens * columns);
        y.requireBytes("results", 2L * tokens * features);
        on(stream).gemmHalf(tokens, features, columns, device.own(w), device.own(x), device.own(y));
    }

    /** cuBLAS on that stream: it counts on one until it is given another. */
    private CudaBlas on(GpuStream queue) {
        CudaBlas present = blas;
        if (present != null && stream == queue) {
            return present;
        }
        close();
        CudaStream other = (CudaStream) queue;
        CudaBlas made = CudaBlas.on(device, other);
        stream = other;
        blas = made;
        return made;
    }

    @Override
    public void close() {
        if (blas != null) {
            blas.close();
            blas = null;
        }
    }
}
