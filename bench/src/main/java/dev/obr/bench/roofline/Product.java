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
import org.jspecify.annotations.Nullable;

/**
 * One product y [tokens, features] = W [features, columns] . x [tokens, columns].
 *
 * @param residual whether something is added to what comes out
 * @param output of half floats' products; the others' is fp16
 */
record Product(
        ProductKernel kernel, int tokens, int features, int columns, boolean residual, HalfGemm.Output output) {
    private static final int BLOCK = SparseFragments.BLOCK_FEATURES;
    private static final int STEP = SparseFragments.STEP;

    Product(ProductKernel kernel, int tokens, int features, int columns, boolean residual) {
        this(kernel, tokens, features, columns, residual, HalfGemm.Output.F16);
    }

    /** Multiplications and additions, as of dense weights. */
    double operations() {
        return 2.0 * tokens * features * columns;
    }

    /** Each operand and each result once. */
    long dramBytes() {
        long y = (long) tokens * features * (output == HalfGemm.Output.F32 ? Float.BYTES : Short.BYTES);
        return weightBytes() + tokenBytes() + y + (residual ? y : 0);
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
        return kernel == ProductKernel.HALF
                ? 2L * tokens * columns
                : (long) tokens * (layoutRow() + Float.BYTES);
    }

    private int layoutRow() {
        return Objects.requireNonNull(kernel.layout()).rowBytes(columns);
    }

    /** Launches it with memory of its own: zeros times weights of which every second one, or pair, is kept. */
    void launch(GpuDevice device, GpuStream stream, boolean withWeights) {
        try (GpuMemory y = device.allocate(4L * tokens * features);
                GpuMemory x = device.allocate(tokenBytes())) {
            stream.fill(x, 0, x.byteSize(), (byte) 0);
            if (kernel == ProductKernel.HALF) {
                try (HalfGemm gemm = new HalfGemm(device, output);
                        GpuMemory w = device.allocate(weightBytes())) {
                    stream.fill(w, 0, w.byteSize(), (byte) 0);
                    gemm.multiply(stream, w, x, tokens, features, columns, y);
                    stream.synchronize();
                }
                return;
            }
            @Nullable GpuMemory added = residual ? y : null;
            if (added != null) {
                stream.fill(y, 0, y.byteSize(), (byte) 0);
            }
            try (Arena arena = Arena.ofConfined();
                    SparseGemm gemm = new SparseGemm(device, pattern(), Objects.requireNonNull(kernel.layout()));
                    SparseWeights w = withWeights
                            ? SparseWeights.upload(fragments(features, columns, arena), device, stream)
                            : onPaper(device);
                    GpuMemory xs = device.allocate(4L * tokens)) {
                stream.fill(xs, 0, xs.byteSize(), (byte) 0);
                gemm.multiply(stream, w, x, xs, tokens, null, added, y);
                stream.synchronize();
            }
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
