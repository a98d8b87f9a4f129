package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.packed.Pattern;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Launches the products of weights on one pattern and activation codes: {@code spgemm_s4_*}, {@code spgemm_s8_*}, {@code spgemm_s8_24_*}, of dense weights {@code gemm_s4_*} and {@code
 * gemm_s8_*}, of any others {@code gemm_bitmap_*}. What they compute is {@link ScalarSparseGemm}. Its products run one after the other, in one stream.
 */
public final class SparseGemm implements AutoCloseable {
    /**
     * Input channels up to which a product of pruned weights and 8-bit codes is exact as a float: 8 · 128 · K / 2 = 2^24. Its 16 fold, as tensor cores add it up, is then far from 2^31. One of
     * dense weights may reach 2^25 and is then rounded to a float first.
     */
    public static final int MOST_COLUMNS = 32768;

    private static final int MOST_TOKEN_TILES = 65535; // a grid's extent in y
    private static final int BLOCKS_A_MULTIPROCESSOR = 2; // where K is shared
    private static final int LEAST_STEPS = 8; // of a block that shares it

    /**
     * What a thread block makes. Fewer tokens take smaller tiles: the weights then are what is waited for, and more blocks have more of their bytes under way.
     */
    enum Tile {
        VECTOR(16, 8, 256, 0, 0), // weights go to registers
        VECTORS_16(16, 16, 256, 0, 0), // of bitmaps alone, as the next
        VECTORS_32(16, 32, 256, 0, 0),
        SMALL(64, 16, 128, 4, 4),
        MEDIUM(128, 32, 128, 4, 4),
        SQUARE(128, 128, 128, 4, 4),
        LARGE(256, 128, 256, 4, 3);

        final int features;
        final int tokens;
        final int threads;
        private final int int4Stages;
        private final int int8Stages;

        Tile(int features, int tokens, int threads, int int4Stages, int int8Stages) {
            this.features = features;
            this.tokens = tokens;
            this.threads = threads;
            this.int4Stages = int4Stages;
            this.int8Stages = int8Stages;
        }

        /** Whether there is a kernel of it. */
        boolean multiplies(FragmentOrder order) {
            boolean bitmaps = this == VECTORS_16 || this == VECTORS_32;
            return this == VECTOR || bitmaps == (order == FragmentOrder.BITMAP);
        }

        static Tile of(FragmentOrder order, int tokens) {
            if (order == FragmentOrder.BITMAP) {
                return tokens <= 8 ? VECTOR : tokens <= 16 ? VECTORS_16 : VECTORS_32;
            }
            if (tokens <= 16) {
                return tokens <= 8 ? VECTOR : SMALL;
            }
            return tokens < 256 ? MEDIUM : tokens < 2048 ? SQUARE : LARGE;
        }

        /** Whether thread blocks may share a tile's K. */
        boolean sharesColumns() {
            return this == SMALL || this == MEDIUM;
        }

        /**
         * How many thread blocks share each tile's K. Few tokens wait for weights, of which a block has 3 steps under way: two blocks for each multiprocessor have enough of them (modelled: 2 x 108 x 3
         * steps of 64 features are 1.7 MB, an A100's memory wants 1.2). A block's sums to and from memory are as many bytes as one to three steps, so each has at least 8.
         */
        int splits(int tiles, int steps, int multiprocessors) {
            if (!sharesColumns()) {
                return 1;
            }
            int wanted = Math.ceilDiv(BLOCKS_A_MULTIPROCESSOR * multiprocessors, tiles);
            return Math.max(1, Math.min(wanted, steps / LEAST_STEPS));
        }

        /** A tile in int32. */
        long sumBytes() {
            return 4L * features * tokens;
        }

        /** Stages of weights and tokens. */
        int sharedBytes(FragmentOrder order, TokenLayout layout) {
            int stages = layout == TokenLayout.INT4 ? int4Stages : int8Stages;
            int blocks = features / SparseFragments.BLOCK_FEATURES;
            return stages
                    * (blocks * (order.codeBytes() + order.keptBytes())
                            + tokens * layout.rowBytes(SparseFragments.STEP));
        }

        String kernel(FragmentOrder order, TokenLayout layout) {
            return order.module(layout).label() + "_" + features + "x" + tokens;
        }
    }

    private final FragmentOrder order;
    private final TokenLayout layout;
    private final GpuModule module;
    private final int multiprocessors;
    private final @Nullable GpuMemory
            sums; // int32, where thread blocks that share K meet: | a tile each | arrivals |, zeros between launches
    private final Map<Tile, GpuKernel> kernels = new EnumMap<>(Tile.class);

    /**
     * @param pattern of the weights
     * @param layout of the activations
     * @throws ObrException where no tensor core multiplies these, or the device multiplies no 4-bit integers and is to
     */
    public SparseGemm(GpuDevice device, Pattern pattern, TokenLayout layout) {
        this(device, pattern, layout, FragmentOrder.of(pattern).module(layout).load(device));
    }

    SparseGemm(GpuDevice device, Pattern pattern, TokenLayout layout, GpuModule module) {
        this.order = FragmentOrder.of(pattern);
        this.layout = layout;
        this.module = module;
        this.multiprocessors = device.multiprocessors();
        this.sums = Tile.MEDIUM.multiplies(order) ? zeros(device, mostTiles() * (Tile.MEDIUM.sumBytes() + 4L)) : null;
        for (Tile tile : Tile.values()) {
            if (tile.multiplies(order)) {
                kernels.put(tile, kernel(tile));
            }
        }
    }

    /** More are as many thread blocks as are wanted without sharing. */
    private int mostTiles() {
        return BLOCKS_A_MULTIPROCESSOR * multiprocessors;
    }

    private static GpuMemory zeros(GpuDevice device, long bytes) {
        GpuMemory memory = device.allocate(bytes);
        try (GpuStream stream = device.newStream()) {
            stream.fill(memory, 0, bytes, (byte) 0);
            stream.synchronize();
        }
        return memory;
    }

    private GpuKernel kernel(Tile tile) {
        GpuKernel kernel = module.kernel(tile.kernel(order, layout));
        kernel.allowSharedBytes(tile.sharedBytes(order, layout));
        return kernel;
    }

    /**
     * Queues y [tokens, features] = W . x, scaled.
     *
     * @param x codes, rows in this product's layout
     * @param xs float32 [tokens], the codes' scales
     * @param bias float32 [features]
     * @param residual fp16 [tokens, features], added to the result; may be {@code y}
     * @param y fp16 [tokens, features]
     */
    public void multiply(
            GpuStream stream,
            SparseWeights w,
            GpuMemory x,
            GpuMemory xs,
            int tokens,
            @Nullable GpuMemory bias,
            @Nullable GpuMemory residual,
            GpuMemory y) {
        Tile tile = Tile.of(order, tokens);
        int tiles = Math.ceilDiv(w.features(), tile.features) * Math.ceilDiv(tokens, tile.tokens);
        int splits = tile.splits(tiles, SparseFragments.steps(w.columns()), multiprocessors);
        multiply(stream, tile, splits, w, x, xs, tokens, bias, residual, y);
    }

    void multiply(
            GpuStream stream,
            Tile tile,
            int splits,
            SparseWeights w,
            GpuMemory x,
            GpuMemory xs,
            int tokens,
            @Nullable GpuMemory bias,
            @Nullable GpuMemory residual,
            GpuMemory y) {
        if (FragmentOrder.of(w.pattern()) != order) {
            throw new ObrException("a product of weights on another pattern was given weights on " + w.pattern());
        }
        int tokenTiles = Math.ceilDiv(tokens, tile.tokens);
        if (tokens < 1 || tokenTiles > MOST_TOKEN_TILES) {
            throw new ObrException(tokens + " tokens are multiplied at once; 1 to "
                    + (long) MOST_TOKEN_TILES * tile.tokens + " can be");
        }
        if (w.columns() < 1 || w.columns() > MOST_COLUMNS) {
            throw new ObrException(
                    "a layer has " + w.columns() + " input channels; products stay exact up to " + MOST_COLUMNS);
        }
        if (w.features() < 8 || w.features() % 8 != 0) {
            throw new ObrException("a layer has " + w.features()
                    + " output channels; results are stored by eights: a multiple of 8 is needed");
        }
        int tiles = Math.ceilDiv(w.features(), tile.features) * tokenTiles;
        if (splits > 1 && (!tile.sharesColumns() || tiles > mostTiles())) {
            throw new IllegalArgumentException(tiles + " tiles " + tile + " are not shared by thread blocks");
        }
        long results = 2L * tokens * w.features();
        w.memory().requireBytes("weights", w.scalesOffset() + 4L * w.features());
        x.requireBytes("codes", (long) tokens * layout.rowBytes(w.columns()));
        xs.requireBytes("scales", 4L * tokens);
        y.requireBytes("results", results);
        if (bias != null) {
            bias.requireBytes("bias", 4L * w.features());
        }
        if (residual != null) {
            residual.requireBytes("residual", results);
        }
        KernelArguments arguments = new KernelArguments()
                .pointer(w.memory())
                .pointer(w.memory(), w.keptOffset())
                .pointer(x)
                .pointer(w.memory(), w.scalesOffset())
                .pointer(xs)
                .optional(bias)
                .optional(residual)
                .pointer(y)
                .i32(tokens)
                .i32(w.features())
                .i32(SparseFragments.steps(w.columns()));
        if (sums != null && tile != Tile.VECTOR) {
            arguments.pointer(sums).pointer(sums, mostTiles() * Tile.MEDIUM.sumBytes());
        }
        LaunchShape shape = new LaunchShape(
                new LaunchShape.Dim(Math.ceilDiv(w.features(), tile.features), tokenTiles, splits),
                new LaunchShape.Dim(tile.threads, 1, 1),
                tile.sharedBytes(order, layout));
        stream.launch(Objects.requireNonNull(kernels.get(tile)), shape, arguments);
    }

    @Override
    public void close() {
        if (sums != null) {
            sums.close();
        }
        module.close();
    }
}
