package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.HalfNorm;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.ScalarNormQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Norms of some tokens, which stay half floats. */
record HalfNormCase(int columns, int tokens, Extent extent) implements KernelCase {
    private static final float EPS = 1e-5f;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.RMSNORM,
                List.of(
                        new HalfNormCase(8, 1, QUICK),
                        new HalfNormCase(576, 3, QUICK),
                        new HalfNormCase(4096, 2, USUAL),
                        new HalfNormCase(8200, 1, USUAL),
                        new HalfNormCase(4096, 300, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(columns);
        float[] weight = new float[columns];
        for (int c = 0; c < columns; c++) {
            weight[c] = random.nextFloat() + 0.5f;
        }
        Activations x = Activations.random(NormQuantizer.Input.F16, tokens * columns, random);
        float[] expected = new float[tokens * columns];
        for (int token = 0; token < tokens; token++) {
            float[] row = Arrays.copyOfRange(x.values(), token * columns, (token + 1) * columns);
            ScalarNormQuantizer.norm(row, weight, EPS);
            System.arraycopy(row, 0, expected, token * columns, columns);
        }
        try (HalfNorm kernel = new HalfNorm(data.device())) {
            GpuMemory y = data.results(2L * tokens * columns);
            Rows rows = Rows.of(data.upload(x.bytes()), columns);
            GpuMemory factors = data.upload(MemorySegment.ofArray(weight));
            kernel.normalize(data.stream(), rows, factors, EPS, tokens, columns, y);
            MemorySegment found = data.download(y);
            return Comparison.equal(
                            expected.length,
                            i -> Float.float16ToFloat(found.getAtIndex(DeviceData.HALF, i)),
                            i -> Float.float16ToFloat(Float.floatToFloat16(expected[i])),
                            i -> "token " + i / columns + ", column " + i % columns)
                    .and(DeviceData.guard(found));
        }
    }

    @Override
    public String toString() {
        return tokens + " tokens of " + columns + " columns";
    }
}
