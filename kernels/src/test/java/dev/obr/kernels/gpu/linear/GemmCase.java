package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * One product.
 *
 * @param codes [tokens][columns] of the activations
 * @param scales [tokens]
 * @param bias [features]
 * @param residual [tokens · features], half floats
 */
record GemmCase(
        TokenLayout layout,
        PackedMatrix weight,
        int[][] codes,
        float[] scales,
        float @Nullable [] bias,
        short @Nullable [] residual) {
    static GemmCase random(
            Pattern pattern,
            TokenLayout layout,
            int features,
            int columns,
            int tokens,
            boolean bias,
            boolean residual) {
        Random random = new Random(31L * features + columns + tokens);
        int range = layout == TokenLayout.INT4 ? 8 : 128;
        int[][] codes = new int[tokens][];
        float[] scales = new float[tokens];
        for (int token = 0; token < tokens; token++) {
            codes[token] = random.ints(columns, -range, range).toArray();
            scales[token] = Float.float16ToFloat(Float.floatToFloat16((random.nextFloat() + 0.5f) / range));
        }
        float[] offsets = new float[features];
        for (int feature = 0; feature < features; feature++) {
            offsets[feature] = random.nextFloat() - 0.5f;
        }
        short[] others = new short[tokens * features];
        for (int i = 0; i < others.length; i++) {
            others[i] = Float.floatToFloat16((float) random.nextGaussian());
        }
        PackedMatrix weight = SparseOperands.weight(pattern, features, columns, 8, random);
        return new GemmCase(layout, weight, codes, scales, bias ? offsets : null, residual ? others : null);
    }

    /** One token, every kept weight and every activation the same. */
    static GemmCase constant(
            Pattern pattern, TokenLayout layout, int features, int columns, int weight, int activation, float bias) {
        byte[] weights = new byte[features * columns];
        boolean[] mask = new boolean[features * columns];
        float[] scales = new float[features];
        Arrays.fill(scales, 1);
        for (int i = 0; i < weights.length; i++) {
            mask[i] = pattern == Pattern.DENSE || i % 4 < 2;
            weights[i] = (byte) (mask[i] ? weight : 0);
        }
        int[] codes = new int[columns];
        Arrays.fill(codes, activation);
        codes[columns / 4 * 3] += 1;
        float[] biases = new float[features];
        Arrays.fill(biases, bias);
        PackedMatrix matrix = Packing.pack(pattern, 4, features, columns, weights, mask, scales);
        return new GemmCase(layout, matrix, new int[][] {codes}, new float[] {1}, biases, null);
    }

    private int tokens() {
        return codes.length;
    }

    private int results() {
        return tokens() * weight.rows();
    }

    /** What the kernel computes, run on a device with one tile. */
    short[] run(DeviceRun run, SparseGemm.Tile tile) {
        try (SparseGemm gemm = new SparseGemm(run.device(), weight.pattern(), layout)) {
            return run(run, tile, 1, gemm);
        }
    }

    short[] run(DeviceRun run, SparseGemm.Tile tile, int splits, SparseGemm gemm) {
        try (SparseWeights w =
                        SparseWeights.upload(SparseFragments.of(weight, run.arena()), run.device(), run.stream());
                GpuMemory x = run.upload(rows());
                GpuMemory xs = run.upload(floats(scales));
                GpuMemory offsets = run.upload(floats(bias == null ? new float[1] : bias));
                GpuMemory y = run.upload(halves(residual == null ? new short[results()] : residual))) {
            gemm.multiply(
                    run.stream(),
                    tile,
                    splits,
                    w,
                    x,
                    xs,
                    tokens(),
                    bias == null ? null : offsets,
                    residual == null ? null : y,
                    y);
            return run.download(y).toArray(DeviceRun.HALF);
        }
    }

    /** What the scalar twin computes. */
    short[] twin() {
        MemorySegment y = halves(new short[results()]);
        ScalarSparseGemm.multiply(
                weight,
                layout,
                rows(),
                floats(scales),
                tokens(),
                bias == null ? null : floats(bias),
                residual == null ? null : halves(residual),
                y);
        return y.toArray(DeviceRun.HALF);
    }

    /** Each result is the exact one, rounded to a half float; a residual is a sum of two. */
    void checkNearTruth(short[] y) {
        byte[] row = new byte[weight.cols()];
        for (int feature = 0; feature < weight.rows(); feature++) {
            weight.unpackRow(feature, row, 0);
            for (int token = 0; token < tokens(); token++) {
                long product = 0;
                for (int c = 0; c < row.length; c++) {
                    product += (long) row[c] * codes[token][c];
                }
                double linear =
                        product * (double) weight.scale(feature) * scales[token] + (bias == null ? 0 : bias[feature]);
                double other = residual == null ? 0 : Float.float16ToFloat(residual[token * weight.rows() + feature]);
                double allowed = 0.501 * halfUlp(linear) + (residual == null ? 0 : 0.501 * halfUlp(linear + other));
                assertThat(Math.abs(Float.float16ToFloat(y[token * weight.rows() + feature]) - (linear + other)))
                        .as("off the truth %g of token %d, feature %d", linear + other, token, feature)
                        .isLessThanOrEqualTo(allowed);
            }
        }
    }

    private static double halfUlp(double x) {
        return Math.scalb(1.0, Math.max(Math.getExponent(x), -14) - 10);
    }

    private MemorySegment rows() {
        MemorySegment rows = MemorySegment.ofArray(new byte[tokens() * layout.rowBytes(weight.cols())]);
        for (int token = 0; token < tokens(); token++) {
            for (int c = 0; c < weight.cols(); c++) {
                layout.put(rows, (long) token * layout.rowBytes(weight.cols()), c, codes[token][c]);
            }
        }
        return rows;
    }

    private static MemorySegment floats(float[] values) {
        return MemorySegment.ofArray(values);
    }

    private static MemorySegment halves(short[] values) {
        return MemorySegment.ofArray(values);
    }
}
