package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.systems.SweepKernel;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/** GPTQ's sweep of a block of columns under a mask, each step rounded as it is here; what lies beside the block stays as it is. */
record SweepCase(int rows, int columns, int begin, int width, Extent extent) implements KernelCase {
    private static final int LOWEST = -8;
    private static final int HIGHEST = 7;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.GPTQ_SWEEP,
                List.of(
                        new SweepCase(1, 1, 0, 1, QUICK),
                        new SweepCase(9, 50, 7, 33, QUICK),
                        new SweepCase(3, 200, 60, 128, USUAL),
                        new SweepCase(1000, 512, 384, 128, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(17L * rows + columns);
        float[] v = DeviceData.gaussian(rows * columns, random);
        float[] upper = DeviceData.gaussian(columns * columns, random);
        for (int i = 0; i < columns; i++) {
            upper[i * columns + i] = 1 + Math.abs(upper[i * columns + i]);
        }
        byte[] kept = new byte[rows * columns];
        random.nextBytes(kept);
        for (int i = 0; i < kept.length; i++) {
            kept[i] &= 1;
        }
        float[] scale = new float[rows];
        float[] zero = new float[rows];
        int[] first = new int[rows];
        for (int row = 0; row < rows; row++) {
            scale[row] = 0.1f + random.nextFloat();
            zero[row] = random.nextInt(5) - 2;
            first[row] = random.nextBoolean() ? 0 : begin + random.nextInt(width);
        }
        try (SweepKernel kernel = new SweepKernel(data.device())) {
            GpuMemory values = data.results(4L * rows * columns);
            GpuMemory errors = data.results(4L * rows * SweepKernel.WIDTH);
            data.stream().copy(data.upload(MemorySegment.ofArray(v)), 0, values, 0, 4L * rows * columns);
            kernel.sweep(
                    data.stream(),
                    new SweepKernel.Operands(
                            rows,
                            columns,
                            values,
                            data.upload(MemorySegment.ofArray(upper)),
                            data.upload(MemorySegment.ofArray(kept)),
                            data.upload(MemorySegment.ofArray(scale)),
                            data.upload(MemorySegment.ofArray(zero)),
                            data.upload(MemorySegment.ofArray(first)),
                            LOWEST,
                            HIGHEST),
                    begin,
                    width,
                    errors);
            float[] swept = v.clone();
            float[] expected = new float[rows * SweepKernel.WIDTH];
            for (int row = 0; row < rows; row++) {
                sweep(swept, upper, kept, scale[row], zero[row], first[row], row, expected);
            }
            MemorySegment foundValues = data.download(values);
            MemorySegment foundErrors = data.download(errors);
            return Comparison.equal(
                            v.length,
                            i -> foundValues.getAtIndex(DeviceData.FLOAT, i),
                            i -> swept[i],
                            i -> "the value of row " + i / columns + ", column " + i % columns)
                    .and(Comparison.equal(
                            expected.length,
                            i -> foundErrors.getAtIndex(DeviceData.FLOAT, i),
                            i -> expected[i],
                            i -> "the error of row " + i / SweepKernel.WIDTH + ", column "
                                    + (begin + i % SweepKernel.WIDTH)))
                    .and(DeviceData.guard(foundValues))
                    .and(DeviceData.guard(foundErrors));
        }
    }

    /** One row of v, in place; its errors -> [rows, WIDTH]. */
    private void sweep(
            float[] v, float[] upper, byte[] kept, float scale, float zero, int first, int row, float[] errors) {
        for (int j = begin; j < begin + width; j++) {
            float value = v[row * columns + j];
            float code = (float) Math.clamp(Math.rint(value / scale) + zero, LOWEST, HIGHEST);
            float q = kept[row * columns + j] == 0 ? 0 : scale * (code - zero);
            float error = j < first ? 0 : (value - q) / upper[j * columns + j];
            errors[row * SweepKernel.WIDTH + j - begin] = error;
            v[row * columns + j] = q;
            for (int i = j + 1; i < begin + width; i++) {
                v[row * columns + i] -= error * upper[j * columns + i];
            }
        }
    }

    @Override
    public String toString() {
        return rows + " rows, columns " + begin + " to " + (begin + width) + " of " + columns;
    }
}
