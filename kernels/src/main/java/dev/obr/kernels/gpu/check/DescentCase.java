package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.systems.DescentKernel;
import dev.obr.kernels.linalg.CoordinateDescent;
import dev.obr.kernels.linalg.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Codes improved one after the other, and their scale: those of {@link CoordinateDescent}, to the bit. Every fifth row keeps nothing. */
record DescentCase(int rows, int columns, Extent extent) implements KernelCase {
    private static final int LOWEST = -8;
    private static final int HIGHEST = 7;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.COORDINATE_DESCENT,
                List.of(
                        new DescentCase(1, 1, QUICK),
                        new DescentCase(6, 70, QUICK),
                        new DescentCase(2, 300, USUAL),
                        new DescentCase(200, 1024, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(17L * rows + columns);
        Matrix h = hessian(random);
        float[] gradients = DeviceData.gaussian(rows * columns, random);
        float[] products = DeviceData.gaussian(rows * columns, random);
        byte[] kept = new byte[rows * columns];
        byte[] codes = new byte[rows * columns];
        float[] scales = new float[rows];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = (byte) (i / columns % 5 == 4 ? 0 : random.nextInt(2));
            codes[i] = (byte) (kept[i] * random.nextInt(LOWEST, HIGHEST + 1));
        }
        for (int row = 0; row < rows; row++) {
            scales[row] = (0.1f + random.nextFloat()) * (row % 2 == 0 ? 1 : -1);
        }
        try (DescentKernel kernel = new DescentKernel(data.device())) {
            GpuMemory changed = data.results(codes.length);
            GpuMemory fitted = data.results(4L * rows);
            data.stream().copy(data.upload(MemorySegment.ofArray(codes)), 0, changed, 0, codes.length);
            data.stream().copy(data.upload(MemorySegment.ofArray(scales)), 0, fitted, 0, 4L * rows);
            kernel.descend(
                    data.stream(),
                    new DescentKernel.Operands(
                            rows,
                            columns,
                            data.upload(MemorySegment.ofArray(h.values())),
                            data.upload(MemorySegment.ofArray(gradients)),
                            data.upload(MemorySegment.ofArray(products)),
                            data.upload(MemorySegment.ofArray(kept)),
                            changed,
                            fitted,
                            data.results(8L * rows * columns),
                            LOWEST,
                            HIGHEST));
            MemorySegment foundCodes = data.download(changed);
            MemorySegment foundScales = data.download(fitted);
            Matrix wh = new Matrix(rows, columns, products);
            for (int row = 0; row < rows; row++) {
                improve(row, h, wh, gradients, kept, codes, scales);
            }
            return Comparison.equal(
                            codes.length,
                            i -> foundCodes.get(ValueLayout.JAVA_BYTE, i),
                            i -> codes[i],
                            i -> "the code of row " + i / columns + ", column " + i % columns)
                    .and(Comparison.equal(
                            rows,
                            i -> foundScales.getAtIndex(DeviceData.FLOAT, i),
                            i -> scales[i],
                            i -> "the scale of row " + i))
                    .and(DeviceData.guard(foundCodes))
                    .and(DeviceData.guard(foundScales));
        }
    }

    private void improve(
            int row, Matrix h, Matrix products, float[] gradients, byte[] kept, byte[] codes, float[] scales) {
        int at = row * columns;
        double[] gradient = new double[columns];
        Arrays.setAll(gradient, c -> gradients[at + c]);
        byte[] own = Arrays.copyOfRange(codes, at, at + columns);
        int[] places =
                IntStream.range(0, columns).filter(c -> kept[at + c] != 0).toArray();
        CoordinateDescent descent = new CoordinateDescent(h, LOWEST, HIGHEST, own, scales[row], places, gradient);
        descent.improve(products, row);
        System.arraycopy(own, 0, codes, at, columns);
        scales[row] = descent.scale();
    }

    /** Symmetric, with a diagonal that outweighs each row. */
    private Matrix hessian(Random random) {
        Matrix h = Matrix.zeros(columns, columns);
        for (int i = 0; i < columns; i++) {
            for (int j = 0; j < i; j++) {
                float value = (float) random.nextGaussian() / columns;
                h.set(i, j, value);
                h.set(j, i, value);
            }
            h.set(i, i, 1 + random.nextFloat());
        }
        return h;
    }

    @Override
    public String toString() {
        return rows + " rows of " + columns + " columns";
    }
}
