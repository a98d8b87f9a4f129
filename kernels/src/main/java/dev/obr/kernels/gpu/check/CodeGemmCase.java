package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.linear.CodeGemm;
import dev.obr.kernels.gpu.linear.CodeWeights;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/**
 * One product of codes and half floats.
 *
 * @param exact whether inputs are small whole numbers and scales powers of two: every sum is then exact; else results are near the truth, for a tensor core adds in its own order
 */
record CodeGemmCase(int bits, int features, int columns, int tokens, boolean exact, Extent extent)
        implements KernelCase {
    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.GEMM_CODES,
                List.of(
                        new CodeGemmCase(8, 1, 16, 1, true, QUICK),
                        new CodeGemmCase(8, 67, 592, 11, false, QUICK),
                        new CodeGemmCase(4, 67, 592, 3, true, QUICK),
                        new CodeGemmCase(4, 40, 576, 33, false, QUICK),
                        new CodeGemmCase(8, 32, 2112, 8, true, USUAL),
                        new CodeGemmCase(8, 40, 1040, 33, true, USUAL),
                        new CodeGemmCase(4, 32, 64, 9, false, USUAL),
                        new CodeGemmCase(8, 32003, 2048, 1, false, DEVICE),
                        new CodeGemmCase(4, 4099, 4096, 17, true, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(31L * features + columns);
        byte[] codes = new byte[features * columns];
        random.nextBytes(codes);
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (codes[i] >> 8 - bits);
        }
        float[] scales = new float[features];
        for (int feature = 0; feature < features; feature++) {
            scales[feature] = exact ? Math.scalb(1f, -random.nextInt(9)) : (random.nextFloat() + 0.5f) / 100;
        }
        Activations x = Activations.random(NormQuantizer.Input.F16, tokens * columns, random);
        for (int i = 0; exact && i < tokens * columns; i++) {
            x.set(NormQuantizer.Input.F16, i, random.nextInt(-2, 3));
        }
        double[] truth = new double[tokens * features];
        double[] allowed = new double[tokens * features];
        for (int i = 0; i < truth.length; i++) {
            int feature = i % features;
            double size = 0;
            for (int c = 0; c < columns; c++) {
                double term = (double) codes[feature * columns + c] * x.values()[i / features * columns + c];
                truth[i] += term;
                size += Math.abs(term);
            }
            truth[i] *= scales[feature];
            allowed[i] = exact ? 0 : size * scales[feature] * HalfGemmCase.rounding(columns);
        }
        PackedMatrix weight = Packing.pack(Pattern.DENSE, bits, features, columns, codes, new boolean[0], scales);
        MemorySegment found = onDevice(data, weight, x);
        return Comparison.of(
                        truth.length,
                        i -> found.getAtIndex(DeviceData.FLOAT, i),
                        i -> truth[i],
                        i -> allowed[i],
                        i -> "token " + i / features + ", feature " + i % features)
                .and(DeviceData.guard(found));
    }

    private MemorySegment onDevice(DeviceData data, PackedMatrix weight, Activations x) {
        try (CodeGemm gemm = new CodeGemm(data.device(), bits);
                CodeWeights w = CodeWeights.upload(weight, data.device(), data.stream())) {
            GpuMemory y = data.results(4L * tokens * features);
            gemm.multiply(data.stream(), w, data.upload(x.bytes()), tokens, y);
            return data.download(y);
        }
    }

    @Override
    public String toString() {
        return features + " features x " + columns + " columns of " + bits + "-bit codes, tokens: " + tokens
                + (exact ? ", of whole numbers" : "");
    }
}
