package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.gpu.Rows;

/** Launches the RMS norm of activations that stay half floats: {@code rmsnorm_f16}. What it computes is {@link ScalarNormQuantizer#norm}, rounded to half floats. */
public final class HalfNorm implements AutoCloseable {
    private final GpuModule module;
    private final GpuKernel kernel;

    public HalfNorm(GpuDevice device) {
        this.module = KernelModule.RMSNORM.load(device);
        this.kernel = module.kernel("rmsnorm_f16");
    }

    /**
     * Queues the norms of {@code tokens} rows of {@code columns} activations.
     *
     * @param x fp16, one row behind the other
     * @param weight float32 [columns]
     * @param y fp16 [tokens, columns]
     */
    public void normalize(GpuStream stream, Rows x, GpuMemory weight, float eps, int tokens, int columns, GpuMemory y) {
        int unit = NormQuantizer.UNIT;
        boolean fits = columns >= unit && columns % unit == 0 && columns <= NormQuantizer.MOST_COLUMNS;
        if (tokens < 1 || !fits || x.stride() != columns || x.first() % unit != 0) {
            throw new ObrException(tokens + " tokens of " + columns
                    + " activations are to be normalised; at least 1 token and a multiple of " + unit
                    + " activations up to " + NormQuantizer.MOST_COLUMNS + ", one row behind the other, can be");
        }
        x.check("activations", tokens, columns, Short.BYTES);
        weight.requireBytes("weight", 4L * columns);
        y.requireBytes("results", 2L * tokens * columns);
        KernelArguments arguments = new KernelArguments()
                .pointer(x.memory(), x.first() * Short.BYTES)
                .pointer(weight)
                .f32(eps)
                .pointer(y)
                .i32(columns);
        stream.launch(kernel, LaunchShape.of(tokens, NormQuantizer.threads(columns), 0), arguments);
    }

    @Override
    public void close() {
        module.close();
    }
}
