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
 * Launches {@code gemm_codes*}: y [tokens, features] = (codes [features, columns] . x [tokens, columns]) · scale [feature], the head of a model whose inputs are half floats. Sums are of float32;
 * within 16 columns their order is a tensor core's own, beyond that one order.
 */
public final class CodeGemm implements AutoCloseable {
    private static final int FEATURES = 32; // of a thread block
    private static final int THREADS = 256;
    private static final int MOST_TOKEN_TILES = 65535; // a grid's extent in y

    /** Tokens of a thread block. More than 8 take the wide one, which reads the codes once for up to 32. */
    enum Tile {
        NARROW(8),
        WIDE(32);

        private final int tokens;

        Tile(int tokens) {
            this.tokens = tokens;
        }

        static Tile of(int tokens) {
            return tokens <= NARROW.tokens ? NARROW : WIDE;
        }
    }

    private final int bits;
    private final GpuModule module;
    private final GpuKernel narrow;
    private final GpuKernel wide;

    /** @param bits of a code, 4 or 8 */
    public CodeGemm(GpuDevice device, int bits) {
        this(bits, KernelModule.GEMM_CODES.load(device));
    }

    CodeGemm(int bits, GpuModule module) {
        this.bits = bits;
        this.module = module;
        this.narrow = module.kernel(kernel(bits, Tile.NARROW));
        this.wide = module.kernel(kernel(bits, Tile.WIDE));
    }

    static String kernel(int bits, Tile tile) {
        return KernelModule.GEMM_CODES.label() + bits + "_" + FEATURES + "x" + tile.tokens;
    }

    /**
     * Queues y = W . x.
     *
     * @param w of this product's bits
     * @param x fp16 [tokens, columns]
     * @param y float32 [tokens, features]
     */
    public void multiply(GpuStream stream, CodeWeights w, GpuMemory x, int tokens, GpuMemory y) {
        multiply(stream, Tile.of(tokens), w, x, tokens, y);
    }

    void multiply(GpuStream stream, Tile tile, CodeWeights w, GpuMemory x, int tokens, GpuMemory y) {
        if (w.bits() != bits) {
            throw new ObrException("a product of " + bits + "-bit codes was given codes of " + w.bits() + " bits");
        }
        int tokenTiles = Math.ceilDiv(tokens, tile.tokens);
        if (tokens < 1 || tokenTiles > MOST_TOKEN_TILES) {
            throw new ObrException(tokens + " tokens are multiplied at once; 1 to "
                    + (long) MOST_TOKEN_TILES * tile.tokens + " can be");
        }
        w.memory().requireBytes("weights", w.scalesOffset() + 4L * w.features());
        x.requireBytes("activations", 2L * tokens * w.columns());
        y.requireBytes("results", 4L * tokens * w.features());
        KernelArguments arguments = new KernelArguments()
                .pointer(w.memory())
                .pointer(w.memory(), w.scalesOffset())
                .pointer(x)
                .pointer(y)
                .i32(tokens)
                .i32(w.features())
                .i32(w.columns());
        LaunchShape shape = LaunchShape.of(Math.ceilDiv(w.features(), FEATURES), tokenTiles, THREADS, 0);
        stream.launch(tile == Tile.NARROW ? narrow : wide, shape, arguments);
    }

    @Override
    public void close() {
        module.close();
    }
}
