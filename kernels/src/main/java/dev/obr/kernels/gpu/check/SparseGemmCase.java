package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.linear.ScalarSparseGemm;
import dev.obr.kernels.gpu.linear.SparseFragments;
import dev.obr.kernels.gpu.linear.SparseGemm;
import dev.obr.kernels.gpu.linear.SparseWeights;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * One product of a 4-bit weight and activation codes.
 *
 * @param added whether a bias and a residual are
 */
record SparseGemmCase(
        Pattern pattern, TokenLayout layout, int features, int columns, int tokens, boolean added, Extent extent)
        implements KernelCase {
    private record Shape(int features, int columns, int tokens, boolean added, Extent extent) {}

    /** Each number of tokens takes another tile; a twin of the last ones takes a second. */
    private static final List<Shape> SHAPES = List.of(
            new Shape(8, 128, 1, false, QUICK),
            new Shape(72, 1102, 3, true, QUICK),
            new Shape(144, 646, 13, false, QUICK),
            new Shape(136, 256, 33, true, QUICK),
            new Shape(16, 11008, 8, false, USUAL),
            new Shape(16, 11008, 16, true, USUAL),
            new Shape(136, 4096, 33, true, USUAL), // long enough for thread blocks to share columns
            new Shape(264, 384, 100, false, USUAL),
            new Shape(120, 646, 257, true, USUAL),
            new Shape(264, 130, 2049, false, USUAL),
            new Shape(4096, 4096, 1, false, DEVICE),
            new Shape(2056, 4096, 16, true, DEVICE),
            new Shape(1032, 4096, 65, false, DEVICE),
            new Shape(256, 4096, 260, true, DEVICE),
            new Shape(1032, 256, 2050, true, DEVICE));

    /** Tokens from which on bitmaps are not multiplied: there are faster ways. */
    private static final int MANY_TOKENS = 128;

    static KernelCheck check(KernelModule module, TokenLayout layout, Pattern... patterns) {
        List<SparseGemmCase> cases = new ArrayList<>();
        for (Shape shape : SHAPES) {
            if (module != KernelModule.GEMM_BITMAP || shape.tokens < MANY_TOKENS) {
                Pattern pattern = patterns[cases.size() % patterns.length];
                cases.add(new SparseGemmCase(
                        pattern, layout, shape.features, shape.columns, shape.tokens, shape.added, shape.extent));
            }
        }
        return new KernelCheck(module, cases);
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(31L * features + columns + tokens);
        PackedMatrix weight = SparseOperands.weight(pattern, features, columns, 8, random);
        MemorySegment x = codes(random);
        MemorySegment xs = MemorySegment.ofArray(scales(random, tokens));
        MemorySegment bias = MemorySegment.ofArray(scales(random, features));
        MemorySegment residual = MemorySegment.ofArray(new short[tokens * features]);
        for (int i = 0; i < tokens * features; i++) {
            residual.setAtIndex(DeviceData.HALF, i, Float.floatToFloat16((float) random.nextGaussian()));
        }
        MemorySegment expected = MemorySegment.ofArray(new short[tokens * features]);
        ScalarSparseGemm.multiply(
                weight, layout, x, xs, tokens, added ? bias : null, added ? residual : null, expected);
        MemorySegment found = onDevice(data, weight, x, xs, bias, residual);
        return Comparison.equal(
                        tokens * features,
                        i -> Float.float16ToFloat(found.getAtIndex(DeviceData.HALF, i)),
                        i -> Float.float16ToFloat(expected.getAtIndex(DeviceData.HALF, i)),
                        i -> "token " + i / features + ", feature " + i % features)
                .and(DeviceData.guard(found));
    }

    private MemorySegment onDevice(
            DeviceData data,
            PackedMatrix weight,
            MemorySegment x,
            MemorySegment xs,
            MemorySegment bias,
            MemorySegment residual) {
        try (SparseGemm gemm = new SparseGemm(data.device(), pattern, layout);
                SparseWeights w =
                        SparseWeights.upload(SparseFragments.of(weight, data.arena()), data.device(), data.stream())) {
            GpuMemory y = data.results(2L * tokens * features);
            gemm.multiply(
                    data.stream(),
                    w,
                    data.upload(x),
                    data.upload(xs),
                    tokens,
                    added ? data.upload(bias) : null,
                    added ? data.upload(residual) : null,
                    y);
            return data.download(y);
        }
    }

    /** Rows of all codes that the layout holds. */
    private MemorySegment codes(Random random) {
        int range = layout == TokenLayout.INT4 ? 8 : 128;
        int rowBytes = layout.rowBytes(columns);
        MemorySegment rows = MemorySegment.ofArray(new byte[tokens * rowBytes]);
        for (int token = 0; token < tokens; token++) {
            for (int c = 0; c < columns; c++) {
                layout.put(rows, (long) token * rowBytes, c, random.nextInt(2 * range) - range);
            }
        }
        return rows;
    }

    /** Of both signs, so that a product of the largest codes stays a half float. */
    private float[] scales(Random random, int n) {
        float[] scales = new float[n];
        for (int i = 0; i < n; i++) {
            float scale = (random.nextFloat() + 0.5f) / (layout == TokenLayout.INT4 ? 8 : 128);
            scales[i] = Float.float16ToFloat(Float.floatToFloat16(random.nextBoolean() ? scale : -scale));
        }
        return scales;
    }

    @Override
    public String toString() {
        return pattern + " weights of " + features + " features x " + columns + " columns, tokens of " + layout.bits()
                + " bits: " + tokens + (added ? ", with bias and residual" : "");
    }
}
