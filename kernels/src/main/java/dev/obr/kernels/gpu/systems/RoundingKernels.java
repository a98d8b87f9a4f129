package dev.obr.kernels.gpu.systems;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/** Launches the rounding of many rows along their factors, for several scales at once: {@code support_rounding.cu}. */
public final class RoundingKernels implements AutoCloseable {
    /** Unknowns of a block at most. */
    public static final int BLOCK = 64;

    /** Scales of a row at most. */
    public static final int MOST_CANDIDATES = 64;

    private static final int THREADS = 256;

    private final GpuModule module;
    private final GpuKernel spread;
    private final GpuKernel round;
    private final GpuKernel choose;

    public RoundingKernels(GpuDevice device) {
        module = KernelModule.SUPPORT_ROUNDING.load(device);
        spread = module.kernel("spread_candidates");
        round = module.kernel("round_block");
        choose = module.kernel("choose_candidate");
    }

    /**
     * What is rounded.
     *
     * @param order unknowns of each system
     * @param l L, f32 [systems][order][order]
     * @param u f32 [systems][order][candidates]
     * @param scales f32 [systems][candidates]
     * @param losses f64 [systems][candidates]
     */
    public record Operands(
            int systems, int order, int candidates, GpuMemory l, GpuMemory u, GpuMemory scales, GpuMemory losses) {
        public Operands {
            if (systems < 1
                    || systems > SystemKernels.MOST_SYSTEMS
                    || order < 1
                    || candidates < 1
                    || candidates > MOST_CANDIDATES) {
                throw new IllegalArgumentException("no " + systems + " systems of " + order
                        + " unknowns are rounded for " + candidates + " scales");
            }
            long unknowns = (long) systems * order;
            l.requireBytes("factors", unknowns * order * Float.BYTES);
            u.requireBytes("values", unknowns * candidates * Float.BYTES);
            scales.requireBytes("scales", (long) systems * candidates * Float.BYTES);
            losses.requireBytes("losses", (long) systems * candidates * Double.BYTES);
        }

        private LaunchShape aThreadEach(int count) {
            return LaunchShape.of(Math.ceilDiv(count, THREADS), systems, THREADS, 0);
        }
    }

    /** Queues {@code u <- y} for all candidates, and losses of 0. @param y f32 [systems][order] */
    public void start(GpuStream stream, Operands of, GpuMemory y) {
        y.requireBytes("right-hand sides", (long) of.systems * of.order * Float.BYTES);
        stream.fill(of.losses, 0, (long) of.systems * of.candidates * Double.BYTES, (byte) 0);
        stream.launch(
                spread,
                of.aThreadEach(Math.multiplyExact(of.order, of.candidates)),
                new KernelArguments().pointer(y).pointer(of.u).i32(of.order).i32(of.candidates));
    }

    /** Queues the rounding of the unknowns [begin, begin + size), whose u becomes q. @param lowest code, and {@code highest} */
    public void round(GpuStream stream, Operands of, int begin, int size, int lowest, int highest) {
        if (begin < 0 || size < 1 || size > BLOCK || begin > of.order - size) {
            throw new IllegalArgumentException(
                    "no block of " + size + " unknowns from " + begin + " on is rounded, of " + of.order);
        }
        stream.launch(
                round,
                LaunchShape.of(of.systems, MOST_CANDIDATES, 0),
                new KernelArguments()
                        .pointer(of.l)
                        .pointer(of.u)
                        .pointer(of.scales)
                        .pointer(of.losses)
                        .i32(of.order)
                        .i32(of.candidates)
                        .i32(begin)
                        .i32(size)
                        .f32(lowest)
                        .f32(highest));
    }

    /**
     * Queues the choice of each system's candidate: of least loss, of equal ones the first. All of u must be q.
     *
     * @param codes int8 [systems][order] of the chosen
     * @param chosen int32 [systems], their numbers
     * @param least f64 [systems], their losses
     */
    public void choose(GpuStream stream, Operands of, GpuMemory codes, GpuMemory chosen, GpuMemory least) {
        codes.requireBytes("codes", (long) of.systems * of.order);
        chosen.requireBytes("candidates", (long) of.systems * Integer.BYTES);
        least.requireBytes("losses", (long) of.systems * Double.BYTES);
        stream.launch(
                choose,
                of.aThreadEach(of.order),
                new KernelArguments()
                        .pointer(of.u)
                        .pointer(of.scales)
                        .pointer(of.losses)
                        .pointer(codes)
                        .pointer(chosen)
                        .pointer(least)
                        .i32(of.order)
                        .i32(of.candidates));
    }

    @Override
    public void close() {
        module.close();
    }
}
