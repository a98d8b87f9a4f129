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
import org.jspecify.annotations.Nullable;

/** Launches norms of heads, rotary position embedding, Hadamard transform and codes of a step's keys and values: {@code rope_hadamard_kv4_append_*}. What they compute is {@link ScalarKvAppend}. */
public final class KvAppender implements AutoCloseable {
    /**
     * RMS norms of each head of queries and of keys, before their rotation.
     *
     * @param query float32 [headDim]
     * @param key float32 [headDim]
     */
    public record HeadNorms(GpuMemory query, GpuMemory key, float eps) {}

    private static final int WARPS = 4; // of a block, one a head

    private final int headDim;
    private final GpuModule module;
    private final GpuKernel kernel;

    public KvAppender(GpuDevice device, int headDim) {
        KvCodeCache.checkHeadDim(headDim);
        this.headDim = headDim;
        this.module = KernelModule.KV_APPEND.load(device);
        this.kernel = module.kernel(KernelModule.KV_APPEND.label() + "_" + headDim);
    }

    /** Queues the same for a model without norms of heads. */
    public void append(
            GpuStream stream,
            Rows q,
            Rows k,
            Rows v,
            GpuMemory rotations,
            boolean hadamard,
            GpuMemory places,
            int tokens,
            int heads,
            GpuMemory queries,
            KvCodeCache cache) {
        append(stream, q, k, v, null, rotations, hadamard, places, tokens, heads, queries, cache);
    }

    /**
     * Queues the norm and rotation of queries and the append of keys and values.
     *
     * @param q fp16 [tokens, heads · headDim]
     * @param k fp16 [tokens, kvHeads · headDim], of the same stride as {@code v}
     * @param v fp16 [tokens, kvHeads · headDim]
     * @param norms of a model that has them
     * @param rotations float32 [positions, headDim]: cosines, then sines
     * @param hadamard whether queries and keys are transformed behind their rotation
     * @param places int32 [tokens, 2]: slot and position of each token; no two alike
     * @param queries float32 [tokens, heads · headDim]
     */
    public void append(
            GpuStream stream,
            Rows q,
            Rows k,
            Rows v,
            @Nullable HeadNorms norms,
            GpuMemory rotations,
            boolean hadamard,
            GpuMemory places,
            int tokens,
            int heads,
            GpuMemory queries,
            KvCodeCache cache) {
        if (tokens < 1 || heads < 1 || cache.headDim() != headDim) {
            throw new ObrException(tokens + " tokens of " + heads + " heads of " + headDim
                    + " components are appended to a cache of heads of " + cache.headDim()
                    + "; at least 1 and 1 and heads of one size can be");
        }
        if (k.stride() != v.stride()) {
            throw new ObrException("the rows of keys and values are " + k.stride() + " and " + v.stride()
                    + " elements apart; they are taken together: use one stride");
        }
        int width = heads * headDim;
        int kvWidth = cache.kvHeads() * headDim;
        check("queries", q, tokens, width);
        check("keys", k, tokens, kvWidth);
        check("values", v, tokens, kvWidth);
        Rows.of(rotations, headDim).check("rotations", cache.capacity(), headDim, Float.BYTES);
        Rows.of(places, 2).check("places", tokens, 2, Integer.BYTES);
        Rows.of(queries, width).check("rotated queries", tokens, width, Float.BYTES);
        if (norms != null) {
            norms.query().requireBytes("norm of queries", (long) Float.BYTES * headDim);
            norms.key().requireBytes("norm of keys", (long) Float.BYTES * headDim);
        }
        KernelArguments arguments = new KernelArguments()
                .pointer(q.memory(), q.first() * Short.BYTES)
                .pointer(k.memory(), k.first() * Short.BYTES)
                .pointer(v.memory(), v.first() * Short.BYTES)
                .i32(q.stride())
                .i32(k.stride())
                .optional(norms == null ? null : norms.query())
                .optional(norms == null ? null : norms.key())
                .f32(norms == null ? 0 : norms.eps())
                .pointer(rotations)
                .f32(hadamard ? (float) (1 / Math.sqrt(headDim)) : 0)
                .pointer(places)
                .pointer(queries);
        cache.addTo(arguments);
        arguments.i32(tokens).i32(heads).i32(cache.kvHeads()).i32(cache.capacity());
        int blocks = Math.ceilDiv(Math.multiplyExact(tokens, heads + 2 * cache.kvHeads()), WARPS);
        stream.launch(kernel, LaunchShape.of(blocks, WARPS * 32, 0), arguments);
    }

    private void check(String what, Rows rows, int tokens, int columns) {
        rows.check(what, tokens, columns, Short.BYTES);
        int alignment = Math.max(1, headDim / 32); // components that a lane reads at once
        if (rows.first() % alignment != 0 || rows.stride() % alignment != 0) {
            throw new ObrException("rows of " + what + " begin at element " + rows.first() + " and are " + rows.stride()
                    + " apart; multiples of " + alignment + " are needed");
        }
    }

    @Override
    public void close() {
        module.close();
    }
}
