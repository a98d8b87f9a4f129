package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/**
 * Launches {@code gemm_f16_*}: y [tokens, features] = W [features, columns] . x [tokens, columns], half floats in rows. Sums are of float32; within 16 columns their order is a tensor core's
 * own, beyond that ascending.
 */
public final class HalfGemm implements AutoCloseable {
    private static final int MOST_TOKEN_TILES = 65535; // a grid's extent in y
    private static final int STEP_BYTES = 64; // of a row
    private static final int ROW_UNIT = 8; // columns that are copied at once
    private static final int FEATURE_UNIT = 4; // features that are stored at once

    /** The results. */
    public enum Output {
        F16(Short.BYTES),
        F32(Float.BYTES);

        private final int bytes;

        Output(int bytes) {
            this.bytes = bytes;
        }
    }

    /** What a thread block makes. */
    enum Tile {
        SMALL(64, 16, 128, 6),
        SQUARE(128, 128, 128, 4);

        private final int features;
        private final int tokens;
        private final int threads;
        private final int stages;

        Tile(int features, int tokens, int threads, int stages) {
            this.features = features;
            this.tokens = tokens;
            this.threads = threads;
            this.stages = stages;
        }

        static Tile of(int tokens) {
            return tokens <= 64 ? SMALL : SQUARE;
        }

        int sharedBytes() {
            return stages * (features + tokens) * STEP_BYTES;
        }
    }

    private final Output output;
    private final GpuModule module;
    private final GpuKernel small;
    private final GpuKernel square;

    public HalfGemm(GpuDevice device, Output output) {
        this.output = output;
        this.module = KernelModule.GEMM_F16.load(device);
        this.small = kernel(Tile.SMALL);
        this.square = kernel(Tile.SQUARE);
    }

    private GpuKernel kernel(Tile tile) {
        GpuKernel kernel = module.kernel(KernelModule.GEMM_F16.label()
                + (output == Output.F16 ? "_f16_" : "_f32_")
                + tile.features
                + "x"
                + tile.tokens);
        kernel.allowSharedBytes(tile.sharedBytes());
        return kernel;
    }

    /**
     * Queues y = W . x.
     *
     * @param w fp16 [features, columns]
     * @param x fp16 [tokens, columns]
     * @param y [tokens, features] of this product's output
     */
    public void multiply(
            GpuStream stream, GpuMemory w, GpuMemory x, int tokens, int features, int columns, GpuMemory y) {
        multiply(stream, Tile.of(tokens), w, x, tokens, features, columns, y);
    }

    void multiply(
            GpuStream stream, Tile tile, GpuMemory w, GpuMemory x, int tokens, int features, int columns, GpuMemory y) {
        int tokenTiles = Math.ceilDiv(tokens, tile.tokens);
        if (tokens < 1 || tokenTiles > MOST_TOKEN_TILES) {
            throw new ObrException(tokens + " tokens are multiplied at once; 1 to "
                    + (long) MOST_TOKEN_TILES * tile.tokens + " can be");
        }
        if (columns < ROW_UNIT || columns % ROW_UNIT != 0) {
            throw new ObrException("a layer of half floats has " + columns
                    + " input channels; rows are copied by eights: a multiple of 8 is needed");
        }
        if (features < FEATURE_UNIT || features % FEATURE_UNIT != 0) {
            throw new ObrException("a layer of half floats has " + features
                    + " output channels; results are stored by fours: a multiple of 4 is needed");
        }
        w.requireBytes("weights", 2L * features * columns);
        x.requireBytes("activations", 2L * tokens * columns);
        y.requireBytes("results", (long) output.bytes * tokens * features);
        KernelArguments arguments = new KernelArguments()
                .pointer(w)
                .pointer(x)
                .pointer(y)
                .i32(tokens)
                .i32(features)
                .i32(columns);
        LaunchShape shape =
                LaunchShape.of(Math.ceilDiv(features, tile.features), tokenTiles, tile.threads, tile.sharedBytes());
        stream.launch(tile == Tile.SMALL ? small : square, shape, arguments);
    }

    @Override
    public void close() {
        module.close();
    }
}
