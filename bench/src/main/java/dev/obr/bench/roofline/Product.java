package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.linear.HalfGemm;
import dev.obr.kernels.gpu.linear.SparseFragments;
import dev.obr.kernels.gpu.linear.SparseGemm;
import dev.obr.kernels.gpu.linear.SparseWeights;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Objects;

/**
 * One product y [tokens, features] = W [features, columns] . x [tokens, columns].
 *
 * @param residual whether something is added to what comes out
 * @param output of half floats' products; the others' is fp16
 */
record Product(ProductKernel kernel, int tokens, int features, int columns, boolean residual, HalfGemm.Output output) {
    private static final int BLOCK = SparseFragments.BLOCK_FEATURES;
    private static final int STEP = SparseFragments.STEP;

    Product(ProductKernel kernel, int tokens, int features, int columns, boolean residual) {
        this(kernel, tokens, features, columns, residual, HalfGemm.Output.F16);
    }

    Product withTokens(int other) {
        return new Product(kernel, other, features, columns, residual, output);
    }

    Product withWeight(int otherFeatures, int otherColumns) {
        return new Product(kernel, tokens, otherFeatures, otherColumns, residual, output);
    }

    /** Multiplications and additions, as of dense weights. */
    double operations() {
        return 2.0 * tokens * features * columns;
    }

    /** Each operand and each result once. */
    long dramBytes() {
        return weightBytes() + tokenBytes() + resultBytes() * (residual ? 2 : 1);
    }

    private long resultBytes() {
        return (long) tokens * features * (output == HalfGemm.Output.F32 ? Float.BYTES : Short.BYTES);
    }

    /** Of the weight as the kernel reads it, scales included. */
    long weightBytes() {
        if (kernel == ProductKernel.HALF) {
            return 2L * features * columns;
        }
        try (Arena arena = Arena.ofConfined()) {
            SparseFragments one = fragments(BLOCK, STEP, arena);
            SparseFragments two = fragments(BLOCK, 2 * STEP, arena);
            long more = bytes(two) - bytes(one); // of a block: where blocks begin is noted once more than there are
            long blocks = Math.ceilDiv(features, BLOCK) * (long) SparseFragments.steps(columns);
            return bytes(one) - more + blocks * more + 4L * features;
        }
    }

    private static long bytes(SparseFragments w) {
        return w.codes().byteSize() + w.kept().byteSize();
    }

    private long tokenBytes() {
        return kernel == ProductKernel.HALF ? 2L * tokens * columns : (long) tokens * (layoutRow() + Float.BYTES);
    }

    private int layoutRow() {
        return Objects.requireNonNull(kernel.layout()).rowBytes(columns);
    }

    /** Launches it: zeros times weights of which every second one, or pair, is kept; on paper times weights of that size. */
    Launches launches(boolean onPaper) {
        return (device, stream) -> {
            GpuMemory x = Launches.activations(device, stream, tokenBytes());
            GpuMemory y = device.allocate(resultBytes());
            if (kernel == ProductKernel.HALF) {
                GpuMemory w = Launches.activations(device, stream, weightBytes());
                new HalfGemm(device, output).multiply(stream, w, x, tokens, features, columns, y);
                return;
            }
            SparseWeights w = onPaper ? onPaper(device) : upload(device, stream);
            GpuMemory xs = Launches.activations(device, stream, (long) Float.BYTES * tokens);
            new SparseGemm(device, pattern(), Objects.requireNonNull(kernel.layout()))
                    .multiply(stream, w, x, xs, tokens, null, residual ? y : null, y);
        };
    }

    private SparseWeights upload(GpuDevice device, GpuStream stream) {
        try (Arena arena = Arena.ofConfined()) {
            SparseWeights w = SparseWeights.upload(fragments(features, columns, arena), device, stream);
            stream.synchronize();
            return w;
        }
    }

    private Pattern pattern() {
        return Objects.requireNonNull(kernel.pattern());
    }

    private SparseWeights onPaper(GpuDevice device) {
        return new SparseWeights(pattern(), features, columns, device.allocate(weightBytes()), 0, 0);
    }

    /** A weight of which each second pair is kept, or each second weight, or all of it. */
    private SparseFragments fragments(int rows, int cols, Arena arena) {
        Pattern pattern = pattern();
        byte[] codes = new byte[rows * cols];
        boolean[] mask = new boolean[codes.length];
        for (int i = 0; i < codes.length; i++) {
            mask[i] = pattern == Pattern.DENSE || i / pattern.unit() % 2 == 0;
            codes[i] = (byte) (mask[i] ? 1 + i % 7 : 0);
        }
        float[] scales = new float[rows];
        Arrays.fill(scales, 1);
        return SparseFragments.of(Packing.pack(pattern, 4, rows, cols, codes, mask, scales), arena);
    }
}
