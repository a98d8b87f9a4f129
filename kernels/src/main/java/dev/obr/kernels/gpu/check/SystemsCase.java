package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.systems.SystemKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** What a batch of systems H[P,P] x = b needs, one kernel after another: the last unknowns of some systems are none. */
record SystemsCase(int systems, int order, int columns, Extent extent) implements KernelCase {
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.PRINCIPAL_SYSTEMS,
                List.of(
                        new SystemsCase(1, 1, 1, QUICK),
                        new SystemsCase(3, 9, 20, QUICK),
                        new SystemsCase(2, 257, 300, USUAL),
                        new SystemsCase(40, 500, 1000, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(31L * systems + order);
        SystemKernels.Shape shape = new SystemKernels.Shape(systems, order, columns);
        float[] h = DeviceData.gaussian(columns * columns, random);
        float[] x = DeviceData.gaussian(systems * order, random);
        float[] e = DeviceData.gaussian(systems * order, random);
        int[] unknowns = new int[systems * order];
        int[] leading = new int[systems];
        for (int system = 0; system < systems; system++) {
            leading[system] = order - system % 4 * order / 8;
            int[] chosen = Arrays.copyOf(SparseOperands.shuffled(columns, random), order);
            Arrays.fill(chosen, leading[system], order, -1);
            System.arraycopy(chosen, 0, unknowns, system * order, order);
        }
        try (SystemKernels kernels = new SystemKernels(data.device())) {
            GpuMemory p = data.upload(MemorySegment.ofArray(unknowns));
            GpuMemory a = data.results(4L * systems * order * order);
            kernels.gather(data.stream(), shape, data.upload(MemorySegment.ofArray(h)), p, a);
            GpuMemory xs = data.upload(MemorySegment.ofArray(x));
            GpuMemory es = data.upload(MemorySegment.ofArray(e));
            GpuMemory v = data.results(8L * systems * columns);
            kernels.scatterDifference(data.stream(), shape, xs, es, p, v);
            GpuMemory r = data.results(4L * systems * order);
            GpuMemory counts = data.upload(MemorySegment.ofArray(leading));
            kernels.residual(data.stream(), shape, es, v, p, counts, r);
            kernels.keepLeading(data.stream(), shape, counts, es);
            kernels.add(data.stream(), shape, xs, es);
            GpuMemory wide = data.results(8L * systems * order);
            kernels.widen(data.stream(), xs, wide, shape.values());
            MemorySegment gathered = data.download(a);
            Comparison all = Comparison.equal(
                            systems * order * order,
                            i -> gathered.getAtIndex(DeviceData.FLOAT, i),
                            i -> gathered(h, unknowns, i),
                            i -> "system " + i / order / order + ", row " + i / order % order + ", column " + i % order)
                    .and(DeviceData.guard(gathered));
            return all.and(vectors(data, x, e, unknowns, leading, v, r, wide));
        }
    }

    private float gathered(float[] h, int[] unknowns, int i) {
        int system = i / order / order;
        int row = unknowns[system * order + i / order % order];
        int column = unknowns[system * order + i % order];
        return row >= 0 && column >= 0 ? h[row * columns + column] : i / order % order == i % order ? 1 : 0;
    }

    private Comparison vectors(
            DeviceData data,
            float[] x,
            float[] e,
            int[] unknowns,
            int[] leading,
            GpuMemory v,
            GpuMemory r,
            GpuMemory wide) {
        double[] scattered = new double[systems * columns];
        float[] residual = new float[systems * order];
        double[] sums = new double[systems * order];
        for (int i = 0; i < systems * order; i++) {
            boolean leads = i % order < leading[i / order];
            double difference = (double) x[i] - e[i];
            if (leads) {
                scattered[i / order * columns + unknowns[i]] = difference;
                residual[i] = (float) (e[i] - difference);
            }
            sums[i] = x[i] + (leads ? e[i] : 0);
        }
        MemorySegment foundScattered = data.download(v);
        MemorySegment foundResidual = data.download(r);
        MemorySegment foundSums = data.download(wide);
        return Comparison.equal(
                        scattered.length,
                        i -> foundScattered.getAtIndex(DOUBLE, i),
                        i -> scattered[i],
                        i -> "the difference of system " + i / columns + ", column " + i % columns)
                .and(Comparison.equal(
                        residual.length,
                        i -> foundResidual.getAtIndex(DeviceData.FLOAT, i),
                        i -> residual[i],
                        i -> "the residual of system " + i / order + ", unknown " + i % order))
                .and(Comparison.equal(
                        sums.length,
                        i -> foundSums.getAtIndex(DOUBLE, i),
                        i -> sums[i],
                        i -> "the sum of system " + i / order + ", unknown " + i % order))
                .and(DeviceData.guard(foundScattered))
                .and(DeviceData.guard(foundResidual))
                .and(DeviceData.guard(foundSums));
    }

    @Override
    public String toString() {
        return systems + " systems of " + order + " unknowns out of " + columns + " columns";
    }
}
