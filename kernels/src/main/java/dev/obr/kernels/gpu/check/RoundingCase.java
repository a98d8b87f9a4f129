package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.systems.RoundingKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;

/**
 * Codes along the factors of some systems for several scales: a last block of unknowns, which is rounded, and the choice of a candidate where the unknowns before it are rounded already. What lies
 * above the factors' diagonals is not a number, so that whoever reads it shows.
 */
record RoundingCase(int systems, int order, int candidates, int size, Extent extent) implements KernelCase {
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LOWEST = -8;
    private static final int HIGHEST = 7;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.SUPPORT_ROUNDING,
                List.of(
                        new RoundingCase(1, 1, 1, 1, QUICK),
                        new RoundingCase(3, 11, 50, 7, QUICK),
                        new RoundingCase(2, 70, 64, 64, USUAL),
                        new RoundingCase(300, 500, 50, 64, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(29L * systems + order);
        float[] l = factors(random);
        float[] y = DeviceData.gaussian(systems * order, random);
        float[] scales = DeviceData.gaussian(systems * candidates, random);
        for (int i = 0; i < scales.length; i++) {
            scales[i] += Math.copySign(0.1f, scales[i]); // of both signs, never 0
        }
        try (RoundingKernels kernels = new RoundingKernels(data.device())) {
            RoundingKernels.Operands operands = new RoundingKernels.Operands(
                    systems,
                    order,
                    candidates,
                    data.upload(MemorySegment.ofArray(l)),
                    data.results(4L * systems * order * candidates),
                    data.upload(MemorySegment.ofArray(scales)),
                    data.results(8L * systems * candidates));
            GpuMemory codes = data.results((long) systems * order);
            GpuMemory chosen = data.results(4L * systems);
            GpuMemory least = data.results(8L * systems);
            kernels.start(data.stream(), operands, data.upload(MemorySegment.ofArray(y)));
            kernels.round(data.stream(), operands, order - size, size, LOWEST, HIGHEST);
            kernels.choose(data.stream(), operands, codes, chosen, least);
            float[] u = new float[systems * order * candidates];
            double[] losses = new double[systems * candidates];
            for (int i = 0; i < u.length; i++) {
                u[i] = y[i / candidates];
            }
            for (int which = 0; which < losses.length; which++) {
                losses[which] = round(l, u, which, scales[which]);
            }
            MemorySegment foundU = data.download(operands.u());
            MemorySegment foundLosses = data.download(operands.losses());
            return Comparison.equal(
                            u.length,
                            i -> foundU.getAtIndex(DeviceData.FLOAT, i),
                            i -> u[i],
                            i -> "the value of system " + i / candidates / order + ", unknown " + i / candidates % order
                                    + ", candidate " + i % candidates)
                    .and(Comparison.equal(
                            losses.length,
                            i -> foundLosses.getAtIndex(DOUBLE, i),
                            i -> losses[i],
                            i -> "the loss of system " + i / candidates + ", candidate " + i % candidates))
                    .and(DeviceData.guard(foundU))
                    .and(DeviceData.guard(foundLosses))
                    .and(choice(data, u, scales, losses, codes, chosen, least));
        }
    }

    /** What {@code round_block} does with one candidate of one system: its values become q, in place; returns its loss. */
    private double round(float[] l, float[] u, int which, float scale) {
        int system = which / candidates;
        int begin = order - size;
        double loss = 0;
        for (int i = order - 1; i >= begin; i--) {
            int at = (system * order + i) * candidates + which % candidates;
            float x = u[at];
            for (int j = i + 1; j < order; j++) {
                x = Math.fma(-l[(system * order + j) * order + i], u[at + (j - i) * candidates], x);
            }
            float diagonal = l[(system * order + i) * order + i];
            float best = x / diagonal;
            float code = (float) Math.rint(Math.clamp(best / scale, LOWEST, HIGHEST));
            u[at] = scale * code;
            float error = diagonal * (best - u[at]);
            loss += (double) error * error;
        }
        return loss;
    }

    private Comparison choice(
            DeviceData data,
            float[] u,
            float[] scales,
            double[] losses,
            GpuMemory codes,
            GpuMemory chosen,
            GpuMemory least) {
        int[] best = new int[systems];
        for (int which = 0; which < losses.length; which++) {
            int system = which / candidates;
            best[system] =
                    losses[which] < losses[system * candidates + best[system]] ? which % candidates : best[system];
        }
        MemorySegment foundCodes = data.download(codes);
        MemorySegment foundChosen = data.download(chosen);
        MemorySegment foundLeast = data.download(least);
        return Comparison.equal(
                        systems * size, // before them are values that are not rounded
                        i -> foundCodes.get(ValueLayout.JAVA_BYTE, unknown(i)),
                        i -> (byte) Math.rint(u[unknown(i) * candidates + best[i / size]]
                                / scales[i / size * candidates + best[i / size]]),
                        i -> "the code of system " + i / size + ", unknown " + unknown(i) % order)
                .and(Comparison.equal(
                        systems,
                        i -> foundChosen.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i),
                        i -> best[i],
                        i -> "the candidate of system " + i))
                .and(Comparison.equal(
                        systems,
                        i -> foundLeast.getAtIndex(DOUBLE, i),
                        i -> losses[i * candidates + best[i]],
                        i -> "the least loss of system " + i))
                .and(DeviceData.guard(foundCodes))
                .and(DeviceData.guard(foundChosen))
                .and(DeviceData.guard(foundLeast));
    }

    /** Of all systems' unknowns the {@code i}-th that was rounded. */
    private int unknown(int i) {
        return i / size * order + order - size + i % size;
    }

    private float[] factors(Random random) {
        float[] l = DeviceData.gaussian(systems * order * order, random);
        for (int i = 0; i < l.length; i++) {
            int row = i / order % order;
            int column = i % order;
            l[i] = column > row ? Float.NaN : column == row ? 1 + Math.abs(l[i]) : l[i] / 4;
        }
        return l;
    }

    @Override
    public String toString() {
        return systems + " systems of " + order + " unknowns, the last " + size + " rounded for " + candidates
                + " scales";
    }
}
