package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;
import static dev.obr.kernels.gpu.linear.HalfGemm.Output.F16;
import static dev.obr.kernels.gpu.linear.HalfGemm.Output.F32;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.linear.HalfGemm;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/**
 * One product of half floats.
 *
 * @param exact whether operands are small whole numbers: every sum is then exact; else results are near the truth, for a tensor core adds in its own order
 */
record HalfGemmCase(HalfGemm.Output output, int features, int columns, int tokens, boolean exact, Extent extent)
        implements KernelCase {
    private static final int STEP = 16; // columns that a tensor core adds up at once

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.GEMM_F16,
                List.of(
                        new HalfGemmCase(F32, 64, 32, 1, true, QUICK),
                        new HalfGemmCase(F32, 100, 328, 3, false, QUICK),
                        new HalfGemmCase(F16, 136, 72, 17, true, QUICK),
                        new HalfGemmCase(F16, 132, 200, 65, false, QUICK),
                        new HalfGemmCase(F16, 4, 8, 1, false, USUAL),
                        new HalfGemmCase(F32, 132, 200, 131, true, USUAL),
                        new HalfGemmCase(F16, 120, 136, 129, false, USUAL),
                        new HalfGemmCase(F16, 4096, 4096, 16, false, DEVICE),
                        new HalfGemmCase(F32, 1000, 4096, 65, true, DEVICE),
                        new HalfGemmCase(F16, 260, 1024, 1000, false, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(features + columns);
        Activations w = operand(features * columns, random);
        Activations x = operand(tokens * columns, random);
        double[] truth = new double[tokens * features];
        double[] allowed = new double[tokens * features];
        for (int i = 0; i < truth.length; i++) {
            int row = i % features * columns;
            int column = i / features * columns;
            double size = 0;
            for (int c = 0; c < columns; c++) {
                double product = (double) w.values()[row + c] * x.values()[column + c];
                truth[i] += product;
                size += Math.abs(product);
            }
            allowed[i] = exact ? 0 : size * rounding(columns) + halfStep(truth[i]);
            truth[i] = exact && output == F16 ? half((float) truth[i]) : truth[i];
        }
        MemorySegment found = onDevice(data, w, x);
        return Comparison.of(
                        truth.length,
                        output == F16
                                ? i -> Float.float16ToFloat(found.getAtIndex(DeviceData.HALF, i))
                                : i -> found.getAtIndex(DeviceData.FLOAT, i),
                        i -> truth[i],
                        i -> allowed[i],
                        i -> "token " + i / features + ", feature " + i % features)
                .and(DeviceData.guard(found));
    }

    private MemorySegment onDevice(DeviceData data, Activations w, Activations x) {
        try (HalfGemm gemm = new HalfGemm(data.device(), output)) {
            GpuMemory y = data.results((output == F16 ? 2L : 4L) * tokens * features);
            gemm.multiply(data.stream(), data.upload(w.bytes()), data.upload(x.bytes()), tokens, features, columns, y);
            return data.download(y);
        }
    }

    private Activations operand(int n, Random random) {
        Activations operand = Activations.random(NormQuantizer.Input.F16, n, random);
        for (int i = 0; exact && i < n; i++) {
            operand.set(NormQuantizer.Input.F16, i, random.nextInt(-2, 3));
        }
        return operand;
    }

    /** What a sum of so many columns may be off by, as a part of the sum of its terms' sizes: a tensor core rounds down whenever it adds. */
    static double rounding(int columns) {
        return 0x1p-24 * Math.max(STEP, columns / STEP);
    }

    /** Half a step of a half float. */
    private double halfStep(double value) {
        return output == F16 ? Math.abs(value) * 0x1p-11 + 0x1p-25 : 0;
    }

    private static double half(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    @Override
    public String toString() {
        return features + " features x " + columns + " columns, tokens: " + tokens + ", results " + output
                + (exact ? ", of whole numbers" : "");
    }
}
