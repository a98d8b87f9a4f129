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
import java.util.Set;

/** Launches attention over cached codes: {@code decode_attention_kv4_*} with its merge, and {@code prefill_attention_kv4_*}. What both compute is {@link ScalarAttention}. */
public final class KvAttention implements AutoCloseable {
    /** Query heads of one KV head that there are kernels for. */
    public static final Set<Integer> GROUPS = Set.of(1, 2, 3, 4, 8);

    private static final int MOST_TOKENS = 65535; // a grid's extent in y and z
    private static final int THREADS = 128;
    private static final int ROWS = 8; // query heads that a block of a prompt takes at most

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
    private final GpuMemory sums; // float32 [tokens, heads, splits, headDim]
    private final GpuMemory tops; // float32 [tokens, splits, heads, 2]: largest score, total

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
        if (kvHeads < 1 || heads % kvHeads != 0 || !GROUPS.contains(heads / kvHeads)) {
            throw new ObrException(heads + " query heads share " + kvHeads
                    + " KV heads; there is GPU attention for 1, 2, 3, 4 and 8 to one");
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
        int group = heads / kvHeads;
        decode = module.kernel("decode_attention_kv4_" + group);
        prefill = module.kernel("prefill_attention_kv4_" + group);
        merge = module.kernel("decode_attention_merge_" + output.name().toLowerCase(Locale.ROOT));
        long splits = (long) tokens * heads * splits(capacity);
        sums = device.allocate(splits * headDim * Float.BYTES);
        tops = device.allocate(splits * 2 * Float.BYTES);
    }

    private static int splits(int positions) {
        return Math.ceilDiv(positions, ScalarAttention.SPLIT);
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
        arguments.pointer(sums).pointer(tops).i32(splits(capacity));
        LaunchShape.Dim grid = new LaunchShape.Dim(splits(positions), kvHeads, tokens);
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
                        .i32(splits(capacity)));
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
        int tiles = Math.ceilDiv(tokens, ROWS / (heads / kvHeads));
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
        return arguments.i32(headDim).i32(capacity).i32(tokens).f32((float) (1 / Math.sqrt(headDim)));
    }

    @Override
    public void close() {
        sums.close();
        tops.close();
        module.close();
    }
}
