package dev.obr.kernels.gpu.systems;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/** Launches GPTQ's sweep of a block of columns: {@code gptq_sweep.cu}. */
public final class SweepKernel implements AutoCloseable {
    /** Columns of a block at most, and of a row of errors. */
    public static final int WIDTH = 128;

    private static final int THREADS = 256;
    private static final int ROWS = THREADS / 32; // of a thread block: a warp each

    private final GpuModule module;
    private final GpuKernel kernel;

    public SweepKernel(GpuDevice device) {
        module = KernelModule.GPTQ_SWEEP.load(device);
        kernel = module.kernel("gptq_sweep");
    }

    /**
     * What a sweep is of.
     *
     * @param v f32 [rows][columns]
     * @param upper U, f32 [columns][columns]
     * @param kept one byte for each value, 0 where it is pruned
     * @param scale f32 [rows]
     * @param zero f32 [rows], whole numbers
     * @param first int32 [rows], the columns before which push no error
     * @param lowest code, and {@code highest}
     */
    public record Operands(
            int rows,
            int columns,
            GpuMemory v,
            GpuMemory upper,
            GpuMemory kept,
            GpuMemory scale,
            GpuMemory zero,
            GpuMemory first,
            int lowest,
            int highest) {
        public Operands {
            long values = (long) rows * columns;
            v.requireBytes("values", Float.BYTES * values);
            kept.requireBytes("mask", values);
            upper.requireBytes("inverse factor", (long) Float.BYTES * columns * columns);
            scale.requireBytes("scales", 4L * rows);
            zero.requireBytes("zeros", 4L * rows);
            first.requireBytes("first columns", 4L * rows);
        }
    }

    /**
     * Queues the sweep of the columns [begin, begin + width).
     *
     * @param errors f32 [rows][{@link #WIDTH}]: what the columns behind are to take, times their part of U
     */
    public void sweep(GpuStream stream, Operands of, int begin, int width, GpuMemory errors) {
        if (begin < 0 || width < 1 || width > WIDTH || begin > of.columns - width) {
            throw new IllegalArgumentException(
                    "no block of " + width + " columns from " + begin + " on is swept, of " + of.columns + " columns");
        }
        errors.requireBytes("errors", (long) Float.BYTES * of.rows * WIDTH);
        stream.launch(
                kernel,
                LaunchShape.of(Math.ceilDiv(of.rows, ROWS), THREADS, 0),
                new KernelArguments()
                        .pointer(of.v)
                        .pointer(of.upper)
                        .pointer(of.kept)
                        .pointer(of.scale)
                        .pointer(of.zero)
                        .pointer(of.first)
                        .pointer(errors)
                        .i32(of.rows)
                        .i32(of.columns)
                        .i32(begin)
                        .i32(width)
                        .f32(of.lowest)
                        .f32(of.highest));
    }

    @Override
    public void close() {
        module.close();
    }
}
