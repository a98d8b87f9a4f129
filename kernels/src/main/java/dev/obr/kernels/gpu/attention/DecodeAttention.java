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

/**
 * Launches attention of tokens over the positions of their sequences, theirs included, and the merge of its splits: {@code decode_attention_kv4_*}. What they compute is
 * {@link ScalarDecodeAttention}.
 *
 * <p>Each token is on its own, whatever its sequence: a few tokens of one prompt may stand beside the next token of another. Long prompts would read the cache once a token.
 */
public final class DecodeAttention implements AutoCloseable {
    /** Query heads of one KV head that there are kernels for. */
    private static final Set<Integer> GROUPS = Set.of(1, 2, 3, 4, 8);

    private static final int MOST_TOKENS = 65535; // a grid's extent in y and z
    private static final int THREADS = 128;

    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final int capacity;
    private final int tokens;
    private final NormQuantizer.Input output;
    private final GpuModule module;
    private final GpuKernel attention;
    private final GpuKernel merge;
    private final GpuMemory sums; // float32 [tokens, heads, splits, headDim]
    private final GpuMemory tops; // float32 [tokens, heads, splits, 2]: largest score, total

    /**
     * @param output type of what comes out
     * @param heads of the queries
     * @param capacity positions of each sequence
     * @param tokens at once at most
     */
    public DecodeAttention(
            GpuDevice device,
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
        module = KernelModule.DECODE_ATTENTION.load(device);
        attention = module.kernel(KernelModule.DECODE_ATTENTION.label() + "_" + heads / kvHeads);
        merge = module.kernel("decode_attention_merge_" + output.name().toLowerCase(Locale.ROOT));
        long splits = (long) tokens * heads * splits(capacity);
        sums = device.allocate(splits * headDim * Float.BYTES);
        tops = device.allocate(splits * 2 * Float.BYTES);
    }

    private static int splits(int positions) {
        return Math.ceilDiv(positions, ScalarDecodeAttention.SPLIT);
    }

    /**
     * Queues y = attention(q).
     *
     * @param q float32 [tokens, heads · headDim], rotated
     * @param places int32 [tokens, 2]: slot and position of each token, which attends to positions 0 to its own
     * @param positions that any of the tokens attends to at most: the cache's capacity, where the launch is part of a graph for all steps
     * @param y [tokens, heads · headDim] of the output's type
     */
    public void attend(
            GpuStream stream,
            GpuMemory q,
            GpuMemory places,
            int tokens,
            int positions,
            KvCodeCache cache,
            GpuMemory y) {
        if (cache.kvHeads() != kvHeads || cache.headDim() != headDim || cache.capacity() != capacity) {
            throw new ObrException("attention over " + kvHeads + " heads of " + headDim + " components and " + capacity
                    + " positions is given a cache of " + cache.kvHeads() + " of " + cache.headDim() + " and "
                    + cache.capacity());
        }
        if (tokens < 1 || tokens > this.tokens || positions < 1 || positions > capacity) {
            throw new ObrException(tokens + " tokens attend to " + positions + " positions; 1 to " + this.tokens
                    + " tokens and 1 to " + capacity + " positions can");
        }
        int width = heads * headDim;
        Rows.of(q, width).check("queries", tokens, width, Float.BYTES);
        Rows.of(places, 2).check("places", tokens, 2, Integer.BYTES);
        Rows.of(y, width).check("results", tokens, width, output.bytes());
        KernelArguments arguments = new KernelArguments().pointer(q).pointer(places);
        cache.addTo(arguments);
        arguments
                .pointer(sums)
                .pointer(tops)
                .i32(headDim)
                .i32(capacity)
                .i32(splits(capacity))
                .f32((float) (1 / Math.sqrt(headDim)));
        LaunchShape.Dim grid = new LaunchShape.Dim(splits(positions), kvHeads, tokens);
        stream.launch(attention, new LaunchShape(grid, new LaunchShape.Dim(THREADS, 1, 1), 0), arguments);
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

    @Override
    public void close() {
        sums.close();
        tops.close();
        module.close();
    }
}
