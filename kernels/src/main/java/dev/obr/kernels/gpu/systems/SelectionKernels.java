package dev.obr.kernels.gpu.systems;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.packed.Pattern;

/** Launches the choice of which weights are kept: {@code mask_selection.cu}. */
public final class SelectionKernels implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int ROWS = THREADS / 32; // of a thread block: a warp each

    private final GpuModule module;
    private final GpuKernel least;
    private final GpuKernel groups;

    public SelectionKernels(GpuDevice device) {
        module = KernelModule.MASK_SELECTION.load(device);
        least = module.kernel("select_least");
        groups = module.kernel("select_groups");
    }

    /**
     * Queues the choice.
     *
     * @param w f32 [rows][columns]
     * @param metric how scores come of w and {@code by}
     * @param by f32 [columns]
     * @param pattern unstructured or grouped
     * @param pruned of each row; only {@link Pattern#UNSTRUCTURED} asks for it
     * @param kept one byte for each weight, 0 where it is pruned, else 1
     */
    public void select(
            GpuStream stream,
            int rows,
            int columns,
            GpuMemory w,
            ColumnScores.Metric metric,
            GpuMemory by,
            Pattern pattern,
            int pruned,
            GpuMemory kept) {
        long weights = (long) rows * columns;
        w.requireBytes("weights", Float.BYTES * weights);
        by.requireBytes("factors of columns", (long) Float.BYTES * columns);
        kept.requireBytes("mask", weights);
        if (pruned < 0
                || pruned > columns
                || pattern == Pattern.DENSE
                || (long) rows * pattern.paddedColumns(columns) >= 1L << 31) {
            throw new IllegalArgumentException("no mask " + pattern.label() + " of " + rows + " x " + columns
                    + " weights prunes " + pruned + " of a row");
        }
        KernelArguments arguments = new KernelArguments()
                .pointer(w)
                .pointer(by)
                .pointer(kept)
                .i32(rows)
                .i32(columns)
                .i32(metric.ordinal());
        if (pattern == Pattern.UNSTRUCTURED) {
            stream.launch(least, LaunchShape.of(Math.ceilDiv(rows, ROWS), THREADS, 0), arguments.i32(pruned));
        } else {
            long units =
                    (long) rows * (pattern.paddedColumns(columns) / pattern.unit()); // a group's in one thread block
            stream.launch(
                    groups,
                    LaunchShape.of(Math.toIntExact(Math.ceilDiv(units, (long) THREADS)), THREADS, 0),
                    arguments.i32(pattern.group()).i32(pattern.unit()));
        }
    }

    @Override
    public void close() {
        module.close();
    }
}
