package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.util.Locale;

/** Launches attention over cached codes: {@code decode_attention_kv4_*} with its merge, and {@code prefill_attention_kv4_*}. What both compute is {@link ScalarAttention}. */
public final class KvAttention implements AutoCloseable {
    /** Query heads that may share a KV head. */
    public static final int MOST_GROUP = 8;

    /** Positions that a thread block takes in a step. */
    public static final int SPLIT = 256;

    private static final int BLOCK = 64; // positions that a warp takes at a time
    private static final int MOST_TOKENS = 65535; // a grid's extent in y and z
    private static final int THREADS = 128;
    private static final int ROWS = 64; // query heads of tokens that a thread block of a prompt takes
    private static final int TOP_BYTES = 16;

    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final int capacity;
    private final int tokens;
    private final NormQuantizer.Input output;
    private final GpuModule module;
    private final GpuKernel decode;
    private final GpuKernel merge;
    private final GpuKernel prefill;
    private final GpuMemory sums; // float32 [tokens, heads, blocks, headDim]
    private final GpuMemory tops; // float32 [tokens, blocks, heads, 4]: largest score, total, step of the sums

    /**
     * @param output type of what comes out
     * @param heads of the queries
     * @param capacity positions of each sequence
     * @param tokens at once at most, each in a sequence of its own
     */
    public KvAttention(
            GpuDevice device,
            NormQuantizer.Input output,
            int heads,
            int kvHeads,
            int headDim,
            int capacity,
            int tokens) {
        this(device, KernelModule.ATTENTION.load(device), output, heads, kvHeads, headDim, capacity, tokens);
    }

    KvAttention(
            GpuDevice device,
            GpuModule module,
            NormQuantizer.Input output,
            int heads,
            int kvHeads,
            int headDim,
            int capacity,
            int tokens) {
        KvCodeCache.checkHeadDim(headDim);
        if (kvHeads < 1 || heads < 1 || heads % kvHeads != 0 || heads / kvHeads > MOST_GROUP) {
            throw new ObrException(heads + " query heads share " + kvHeads
                    + " KV heads; there is GPU attention for 1 to " + MOST_GROUP + " to one");
        }
        if (tokens < 1 || tokens > MOST_TOKENS) {
            throw new ObrException(tokens + " tokens attend at once; 1 to " + MOST_TOKENS + " can");
        }
        this.heads = heads;
        this.kvHeads = kvHeads;
        this.headDim = headDim;
        this.capacity = capacity;
        this.tokens = tokens;
        this.output = output;
        this.module = module;
        decode = module.kernel("decode_attention_kv4_" + headDim);
        prefill = module.kernel("prefill_attention_kv4_" + headDim);
        merge = module.kernel("decode_attention_merge_" + output.name().toLowerCase(Locale.ROOT));
        long parts = (long) tokens * heads * blocks(capacity);
        sums = device.allocate(parts * headDim * Float.BYTES);
        tops = device.allocate(parts * TOP_BYTES);
    }

    private static int blocks(int positions) {
        return Math.ceilDiv(positions, BLOCK);
    }

    /**
     * Queues y = attention(q), each token on its own.
     *
     * @param q float32 [tokens, heads · headDim], rotated
     * @param places int32 [tokens, 2]: slot and position of each token, which attends to positions 0 to its own
     * @param positions that any of the tokens attends to at most: the cache's capacity, where the launch is part of a graph for all steps
     * @param y [tokens, heads · headDim] of the output's type
     */
    public void decode(
            GpuStream stream,
            GpuMemory q,
            GpuMemory places,
            int tokens,
            int positions,
            KvCodeCache cache,
            GpuMemory y) {
        if (tokens < 1 || tokens > this.tokens || positions < 1 || positions > capacity) {
            throw new ObrException(tokens + " tokens attend to " + positions + " positions; 1 to " + this.tokens
                    + " tokens and 1 to " + capacity + " positions can");
        }
        KernelArguments arguments = arguments(q, places, tokens, cache, y);
        arguments.pointer(sums).pointer(tops).i32(blocks(capacity));
        LaunchShape.Dim grid = new LaunchShape.Dim(Math.ceilDiv(positions, SPLIT), kvHeads, tokens);
        stream.launch(decode, new LaunchShape(grid, new LaunchShape.Dim(THREADS, 1, 1), 0), arguments);
        stream.launch(
                merge,
                LaunchShape.of(heads, tokens, Math.max(32, headDim), 0),
                new KernelArguments()
                        .pointer(sums)
                        .pointer(tops)
                        .pointer(places)
                        .pointer(y)
                        .i32(headDim)
                        .i32(blocks(capacity)));
    }

    /**
     * Queues y = attention(q) of tokens of one sequence, one behind the other, with the same results: codes are read once for some of them.
     *
     * @param places int32 [tokens, 2]: of one slot, at ascending positions without a gap
     */
    public void prefill(GpuStream stream, GpuMemory q, GpuMemory places, int tokens, KvCodeCache cache, GpuMemory y) {
        if (tokens < 1 || tokens > capacity) {
            throw new ObrException(
                    tokens + " tokens of one sequence attend at once; 1 to " + capacity + " have a position");
        }
        KernelArguments arguments =
                arguments(q, places, tokens, cache, y).pointer(y).i32(output == NormQuantizer.Input.F16 ? 1 : 0);
        int tiles = Math.ceilDiv(tokens * (heads / kvHeads), ROWS);
        stream.launch(prefill, LaunchShape.of(kvHeads, tiles, THREADS, 0), arguments);
    }

    private KernelArguments arguments(GpuMemory q, GpuMemory places, int tokens, KvCodeCache cache, GpuMemory y) {
        if (cache.kvHeads() != kvHeads || cache.headDim() != headDim || cache.capacity() != capacity) {
            throw new ObrException("attention over " + kvHeads + " heads of " + headDim + " components and " + capacity
                    + " positions is given a cache of " + cache.kvHeads() + " of " + cache.headDim() + " and "
                    + cache.capacity());
        }
        int width = heads * headDim;
        Rows.of(q, width).check("queries", tokens, width, Float.BYTES);
        Rows.of(places, 2).check("places", tokens, 2, Integer.BYTES);
        Rows.of(y, width).check("results", tokens, width, output.bytes());
        KernelArguments arguments = new KernelArguments().pointer(q).pointer(places);
        cache.addTo(arguments);
        return arguments.i32(heads / kvHeads).i32(capacity).i32(tokens).f32((float) (1 / Math.sqrt(headDim)));
    }

    @Override
    public void close() {
        sums.close();
        tops.close();
        module.close();
    }
}
