package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.systems.GradientKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;

/** What conjugate gradients of many rows need beside products, one kernel after another as in an iteration. Vectors are the twin's to the bit, sums but for the order of their additions. */
record GradientsCase(int rows, int columns, int rank, Extent extent) implements KernelCase {
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final float INVERSE = 0.37f;

    /** Of a sum in double precision, next to the sum of its terms' sizes. */
    private static final double ROUNDING = 1e-12;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.CONJUGATE_GRADIENTS,
                List.of(
                        new GradientsCase(1, 1, 1, QUICK),
                        new GradientsCase(3, 45, 3, QUICK),
                        new GradientsCase(2, 700, 17, USUAL),
                        new GradientsCase(300, 4096, 32, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(7L * rows + columns);
        Twin twin = new Twin(random);
        float[] z = DeviceData.gaussian(columns * rank, random);
        try (GradientKernels kernels = new GradientKernels(data.device())) {
            GpuMemory r = data.results(4L * rows * columns);
            GpuMemory x = copy(data, twin.x);
            GpuMemory p = copy(data, twin.p);
            GpuMemory y = copy(data, twin.y);
            GradientKernels.Vectors vectors = new GradientKernels.Vectors(
                    columns,
                    data.upload(MemorySegment.ofArray(twin.b)),
                    x,
                    r,
                    p,
                    y,
                    data.upload(MemorySegment.ofArray(twin.unknown)));
            GpuMemory sums = data.results(8L * rows * GradientKernels.SUMS);
            GpuMemory stepped = data.results(8L * rows * GradientKernels.SUMS);
            GpuMemory curvature = data.results(8L * rows);
            GpuMemory slope = data.results(8L * rows);
            GpuMemory scalars = data.upload(MemorySegment.ofArray(twin.scalars));
            GpuMemory outer = data.results(4L * columns * rank * rank);
            kernels.residual(data.stream(), rows, vectors, sums);
            kernels.dots(data.stream(), rows, vectors, curvature);
            kernels.step(data.stream(), rows, vectors, scalars, stepped);
            kernels.precondition(data.stream(), rows, vectors, INVERSE, slope);
            kernels.turn(data.stream(), rows, vectors, scalars, data.upload(MemorySegment.ofArray(twin.done)));
            MemorySegment preconditioned = data.download(y);
            kernels.mask(data.stream(), rows, vectors);
            kernels.outerProducts(data.stream(), columns, rank, data.upload(MemorySegment.ofArray(z)), outer);
            Sums first = twin.residual();
            Sums second = twin.curvature();
            Sums third = twin.step();
            Sums fourth = twin.precondition();
            twin.turn();
            return sums(data, sums, first, "residual")
                    .and(sums(data, curvature, second, "curvature"))
                    .and(sums(data, stepped, third, "step"))
                    .and(sums(data, slope, fourth, "slope"))
                    .and(vector(data.download(r), twin.r, "r"))
                    .and(vector(data.download(x), twin.x, "x"))
                    .and(vector(data.download(p), twin.p, "p"))
                    .and(vector(preconditioned, twin.y, "y"))
                    .and(vector(data.download(y), twin.mask(), "the mask"))
                    .and(outer(data.download(outer), z));
        }
    }

    private static GpuMemory copy(DeviceData data, float[] from) {
        GpuMemory memory = data.results(4L * from.length);
        data.stream().copy(data.upload(MemorySegment.ofArray(from)), 0, memory, 0, 4L * from.length);
        return memory;
    }

    private Comparison vector(MemorySegment found, float[] expected, String name) {
        return Comparison.equal(
                        expected.length,
                        i -> found.getAtIndex(DeviceData.FLOAT, i),
                        i -> expected[i],
                        i -> name + " of row " + i / columns + ", column " + i % columns)
                .and(DeviceData.guard(found));
    }

    private Comparison sums(DeviceData data, GpuMemory sums, Sums expected, String name) {
        MemorySegment found = data.download(sums);
        int each = expected.values.length / rows;
        return Comparison.of(
                        expected.values.length,
                        i -> found.getAtIndex(DOUBLE, i),
                        i -> expected.values[i],
                        i -> ROUNDING * expected.sizes[i],
                        i -> "sum " + i % each + " of row " + i / each + " of the " + name)
                .and(DeviceData.guard(found));
    }

    private Comparison outer(MemorySegment found, float[] z) {
        return Comparison.equal(
                        columns * rank * rank,
                        i -> found.getAtIndex(DeviceData.FLOAT, i),
                        i -> z[i / rank] * z[i / rank / rank * rank + i % rank],
                        i -> "the outer product of column " + i / rank / rank)
                .and(DeviceData.guard(found));
    }

    /** Sums of each row, and those of their terms' sizes. */
    private static final class Sums {
        final double[] values;
        final double[] sizes;

        Sums(int count) {
            values = new double[count];
            sizes = new double[count];
        }

        void add(int at, double term) {
            values[at] += term;
            sizes[at] += Math.abs(term);
        }
    }

    /** The same steps on the host. */
    private final class Twin {
        final float[] b;
        final float[] x;
        final float[] r = new float[rows * columns];
        final float[] p;
        final float[] y;
        final byte[] unknown = new byte[rows * columns];
        final float[] scalars;
        final int[] done = new int[rows];

        Twin(Random random) {
            b = DeviceData.gaussian(rows * columns, random);
            x = DeviceData.gaussian(rows * columns, random);
            p = DeviceData.gaussian(rows * columns, random);
            y = DeviceData.gaussian(rows * columns, random);
            scalars = DeviceData.gaussian(rows, random);
            for (int i = 0; i < unknown.length; i++) {
                unknown[i] = (byte) random.nextInt(2);
                x[i] *= unknown[i];
            }
            done[rows - 1] = rows > 1 ? 1 : 0;
        }

        Sums residual() {
            for (int i = 0; i < r.length; i++) {
                r[i] = unknown[i] == 0 ? 0 : b[i] - y[i];
            }
            return residuals();
        }

        private Sums residuals() {
            Sums sums = new Sums(rows * GradientKernels.SUMS);
            for (int i = 0; i < r.length; i++) {
                if (unknown[i] != 0) {
                    int at = i / columns * GradientKernels.SUMS;
                    sums.add(at, (double) r[i] * r[i]);
                    sums.add(at + 1, (double) b[i] * b[i]);
                    sums.add(at + 2, (double) x[i] * (b[i] + r[i]));
                }
            }
            return sums;
        }

        Sums curvature() {
            return dots(p);
        }

        private Sums dots(float[] a) {
            Sums sums = new Sums(rows);
            for (int i = 0; i < a.length; i++) {
                sums.add(i / columns, (double) a[i] * y[i]);
            }
            return sums;
        }

        Sums step() {
            for (int i = 0; i < x.length; i++) {
                if (unknown[i] != 0) {
                    x[i] += scalars[i / columns] * p[i];
                    r[i] -= scalars[i / columns] * y[i];
                }
            }
            return residuals();
        }

        Sums precondition() {
            for (int i = 0; i < y.length; i++) {
                y[i] = unknown[i] == 0 ? 0 : INVERSE * (r[i] - y[i]);
            }
            return dots(r);
        }

        void turn() {
            for (int i = 0; i < p.length; i++) {
                p[i] = done[i / columns] != 0 ? 0 : y[i] + scalars[i / columns] * p[i];
            }
        }

        float[] mask() {
            float[] mask = new float[unknown.length];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = unknown[i];
            }
            return mask;
        }
    }

    @Override
    public String toString() {
        return rows + " rows of " + columns + " columns, preconditioners of rank " + rank;
    }
}
