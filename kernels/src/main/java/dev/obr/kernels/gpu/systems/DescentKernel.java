package dev.obr.kernels.gpu.systems;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/** Launches the improvement of codes one at a time: {@code coordinate_descent.cu}. */
public final class DescentKernel implements AutoCloseable {
    private static final int THREADS = 256;

    private final GpuModule module;
    private final GpuKernel kernel;

    public DescentKernel(GpuDevice device) {
        module = KernelModule.COORDINATE_DESCENT.load(device);
        kernel = module.kernel("coordinate_descent");
    }

    /**
     * What is improved.
     *
     * @param h f32 [columns][columns]
     * @param gradients f32 [rows][columns]
     * @param products W H, f32 [rows][columns]
     * @param kept one byte for each code, 0 where it is pruned
     * @param codes int8 [rows][columns], in place
     * @param scales f32 [rows], in place
     * @param room f64 [rows][columns]
     * @param lowest code, and {@code highest}
     */
    public record Operands(
            int rows,
            int columns,
            GpuMemory h,
            GpuMemory gradients,
            GpuMemory products,
            GpuMemory kept,
            GpuMemory codes,
            GpuMemory scales,
            GpuMemory room,
            int lowest,
            int highest) {
        public Operands {
            long values = (long) rows * columns;
            h.requireBytes("matrix", (long) Float.BYTES * columns * columns);
            gradients.requireBytes("gradients", Float.BYTES * values);
            products.requireBytes("products", Float.BYTES * values);
            kept.requireBytes("mask", values);
            codes.requireBytes("codes", values);
            scales.requireBytes("scales", 4L * rows);
            room.requireBytes("gradients in double precision", Double.BYTES * values);
        }
    }

    /** Queues all rows, each a thread block. */
    public void descend(GpuStream stream, Operands of) {
        stream.launch(
                kernel,
                LaunchShape.of(of.rows, THREADS, 0),
                new KernelArguments()
                        .pointer(of.h)
                        .pointer(of.gradients)
                        .pointer(of.products)
                        .pointer(of.kept)
                        .pointer(of.codes)
                        .pointer(of.scales)
                        .pointer(of.room)
                        .i32(of.columns)
                        .f32(of.lowest)
                        .f32(of.highest));
    }

    @Override
    public void close() {
        module.close();
    }
}
