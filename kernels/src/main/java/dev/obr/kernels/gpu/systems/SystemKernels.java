package dev.obr.kernels.gpu.systems;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/**
 * Launches what a batch of systems {@code H[P,P] x = b} needs beside factors and solves: {@code principal_systems.cu}.
 *
 * <pre>
 *   unknowns int32 [systems][order]     P of each, -1 behind its last
 *   x        f32   [systems][order]     a value for each unknown
 *   v        f64   [systems][columns]   a value for each column of H
 * </pre>
 */
public final class SystemKernels implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int ROWS = 8; // of a matrix, that a thread gathers

    /** Systems of one launch at most: a grid's extent. */
    public static final int MOST_SYSTEMS = 65535;

    private final GpuModule module;
    private final GpuKernel gather;
    private final GpuKernel scatter;
    private final GpuKernel residual;
    private final GpuKernel keepLeading;
    private final GpuKernel addCorrection;
    private final GpuKernel widen;

    public SystemKernels(GpuDevice device) {
        module = KernelModule.PRINCIPAL_SYSTEMS.load(device);
        gather = module.kernel("gather_principal");
        scatter = module.kernel("scatter_difference");
        residual = module.kernel("leading_residual");
        keepLeading = module.kernel("keep_leading");
        addCorrection = module.kernel("add_correction");
        widen = module.kernel("widen");
    }

    /** How many systems there are, of how many unknowns each, and how many columns H has. */
    public record Shape(int systems, int order, int columns) {
        public Shape {
            if (systems < 1 || systems > MOST_SYSTEMS || order < 1 || columns < 1) {
                throw new IllegalArgumentException("no batch has " + systems + " systems of " + order
                        + " unknowns out of " + columns + " columns");
            }
        }

        /** Values of all unknowns. */
        public long values() {
            return (long) systems * order;
        }

        private LaunchShape aThreadEach() {
            return LaunchShape.of(Math.ceilDiv(order, THREADS), systems, THREADS, 0);
        }
    }

    /** Queues {@code a [systems][order][order] <- H[P,P]}, the identity where there are no unknowns. */
    public void gather(GpuStream stream, Shape shape, GpuMemory h, GpuMemory unknowns, GpuMemory a) {
        requireColumns(h, shape, Float.BYTES, shape.columns);
        requireValues(unknowns, shape);
        a.requireBytes("matrices", shape.values() * shape.order * Float.BYTES);
        LaunchShape launch = new LaunchShape(
                new LaunchShape.Dim(Math.ceilDiv(shape.order, THREADS), Math.ceilDiv(shape.order, ROWS), shape.systems),
                new LaunchShape.Dim(THREADS, 1, 1),
                0);
        stream.launch(
                gather,
                launch,
                new KernelArguments()
                        .pointer(h)
                        .pointer(unknowns)
                        .pointer(a)
                        .i32(shape.columns)
                        .i32(shape.order));
    }

    /** Queues {@code v <- 0, v[P] <- x - e}. */
    public void scatterDifference(
            GpuStream stream, Shape shape, GpuMemory x, GpuMemory e, GpuMemory unknowns, GpuMemory v) {
        requireValues(x, shape);
        requireValues(e, shape);
        requireValues(unknowns, shape);
        requireColumns(v, shape, Double.BYTES, shape.systems);
        stream.fill(v, 0, (long) shape.systems * shape.columns * Double.BYTES, (byte) 0);
        stream.launch(
                scatter,
                shape.aThreadEach(),
                new KernelArguments()
                        .pointer(x)
                        .pointer(e)
                        .pointer(unknowns)
                        .pointer(v)
                        .i32(shape.columns)
                        .i32(shape.order));
    }

    /** Queues {@code r <- b - y[P]} of the {@code leading} [systems] unknowns of each system, else 0. */
    public void residual(
            GpuStream stream,
            Shape shape,
            GpuMemory b,
            GpuMemory y,
            GpuMemory unknowns,
            GpuMemory leading,
            GpuMemory r) {
        requireValues(b, shape);
        requireValues(r, shape);
        requireValues(unknowns, shape);
        requireColumns(y, shape, Double.BYTES, shape.systems);
        leading.requireBytes("counts", 4L * shape.systems);
        stream.launch(
                residual,
                shape.aThreadEach(),
                new KernelArguments()
                        .pointer(b)
                        .pointer(y)
                        .pointer(unknowns)
                        .pointer(leading)
                        .pointer(r)
                        .i32(shape.columns)
                        .i32(shape.order));
    }

    /** Queues {@code r <- 0} behind the leading unknowns. */
    public void keepLeading(GpuStream stream, Shape shape, GpuMemory leading, GpuMemory r) {
        requireValues(r, shape);
        leading.requireBytes("counts", 4L * shape.systems);
        stream.launch(
                keepLeading,
                shape.aThreadEach(),
                new KernelArguments().pointer(leading).pointer(r).i32(shape.order));
    }

    /** Queues {@code x += r}. */
    public void add(GpuStream stream, Shape shape, GpuMemory x, GpuMemory r) {
        requireValues(x, shape);
        requireValues(r, shape);
        launch(stream, addCorrection, x, r, shape.values());
    }

    /** Queues {@code y <- x}: float32 to float64. */
    public void widen(GpuStream stream, GpuMemory x, GpuMemory y, long count) {
        x.requireBytes("values", count * Float.BYTES);
        y.requireBytes("values", count * Double.BYTES);
        launch(stream, widen, x, y, count);
    }

    private static void launch(GpuStream stream, GpuKernel kernel, GpuMemory x, GpuMemory y, long count) {
        stream.launch(
                kernel,
                LaunchShape.of(Math.toIntExact(Math.ceilDiv(count, (long) THREADS)), THREADS, 0),
                new KernelArguments().pointer(x).pointer(y).u64(count));
    }

    private static void requireValues(GpuMemory memory, Shape shape) {
        memory.requireBytes("unknowns", shape.values() * Float.BYTES);
    }

    private static void requireColumns(GpuMemory memory, Shape shape, int bytes, int rows) {
        memory.requireBytes("columns", (long) rows * shape.columns * bytes);
    }

    @Override
    public void close() {
        module.close();
    }
}
