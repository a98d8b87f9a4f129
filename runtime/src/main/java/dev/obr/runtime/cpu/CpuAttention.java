package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Keys and values into the cache, and attention over it: over floats here, over codes in {@link CodeAttention}. */
final class CpuAttention {
    /** Parts per thread: a thread that is held up leaves the rest to the others. */
    private static final int PARTS_PER_THREAD = 8;

    private final CpuKernels kernels;
    private final ThreadTeam team;
    private final Arena arena;
    private final Precision precision;
    private final CodeAttention codes;
    private MemorySegment scores = MemorySegment.NULL; // one stretch per part

    CpuAttention(CpuKernels kernels, ThreadTeam team, Arena arena, Precision precision) {
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
        this.precision = precision;
        this.codes = new CodeAttention(kernels, team, arena);
    }

    /** Writes keys and values [tokens, kvHeads · headDim] behind the cache's length; where codes are simulated, they become what the codes would stand for. */
    void append(CpuKvCache cache, int layer, CpuTensor keys, CpuTensor values) {
        cache.reserve(keys.rows());
        switch (cache) {
            case CodeKvCache coded -> codes.append(coded, layer, keys, values);
            case FloatKvCache floats -> append(floats, layer, keys, values);
        }
    }

    private void append(FloatKvCache cache, int layer, CpuTensor keys, CpuTensor values) {
        int parts = Math.min(keys.rows(), team.threads());
        team.run(parts, part -> {
            int end = (int) ((long) keys.rows() * (part + 1) / parts);
            for (int row = (int) ((long) keys.rows() * part / parts); row < end; row++) {
                append(cache, layer, row, keys.from(row), true, keys.cols());
                append(cache, layer, row, values.from(row), false, keys.cols());
            }
        });
    }

    private void append(FloatKvCache cache, int layer, int row, MemorySegment x, boolean keys, int cols) {
        int headDim = cache.headDim();
        int position = cache.length() + row;
        KvQuantizer quantizer = cache.quantizer();
        if (quantizer != null) {
            float[] rounded = new float[cols];
            MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, 0, rounded, 0, cols);
            round(rounded, quantizer);
            MemorySegment.copy(rounded, 0, x, ValueLayout.JAVA_FLOAT, 0, cols);
        }
        for (int head = 0; head < cols / headDim; head++) {
            MemorySegment place = keys ? cache.keys(layer, head, position) : cache.values(layer, head, position);
            kernels.store(x.asSlice(4L * head * headDim), cache.type(), headDim, place);
        }
    }

    /** One token's keys or values of all heads -> what a cache of codes would hold. */
    private void round(float[] x, KvQuantizer quantizer) {
        if (precision.kvScheme() == KvScheme.QUAROT) {
            float scale = new ActivationQuantizer(quantizer.bits(), 1).quantize(x, 0, x.length);
            for (int i = 0; i < x.length; i++) {
                x[i] *= scale;
            }
            return;
        }
        MemorySegment codes = MemorySegment.ofArray(new byte[quantizer.byteSize()]);
        for (int at = 0; at < x.length; at += quantizer.headDim()) {
            quantizer.store(x, at, codes, 0);
        }
    }

    /** Causal attention of the tokens just appended: q [tokens, heads · headDim] -> y of q's shape. */
    void run(CpuTensor q, CpuKvCache cache, int layer, CpuTensor y) {
        switch (cache) {
            case CodeKvCache coded -> codes.run(q, coded, layer, y);
            case FloatKvCache floats -> run(q, floats, layer, y);
        }
    }

    private void run(CpuTensor q, FloatKvCache cache, int layer, CpuTensor y) {
        int headDim = cache.headDim();
        int kvHeads = cache.kvHeads();
        int group = q.cols() / headDim / kvHeads;
        int tokens = q.rows();
        int held = cache.length();
        float scale = (float) (1 / Math.sqrt(headDim));
        // One part = one KV head and a stretch of tokens, so that a head's keys and values are read by few threads.
        int stretches = Math.min(tokens, team.threads() * PARTS_PER_THREAD);
        long scratch = (long) group * (held + tokens);
        if (scores.byteSize() < 4 * kvHeads * stretches * scratch) {
            scores = arena.allocate(Math.max(4 * kvHeads * stretches * scratch, 2 * scores.byteSize()), 64);
        }
        team.run(kvHeads * stretches, part -> {
            int head = part % kvHeads;
            MemorySegment keys = cache.keys(layer, head, 0);
            MemorySegment values = cache.values(layer, head, 0);
            MemorySegment partScores = scores.asSlice(4L * part * scratch, 4L * scratch);
            long at = 4L * head * group * headDim;
            for (int t = part / kvHeads; t < tokens; t += stretches) {
                kernels.attention(
                        q.from(t).asSlice(at),
                        group,
                        headDim,
                        keys,
                        values,
                        cache.type(),
                        held + t + 1,
                        scale,
                        partScores,
                        y.from(t).asSlice(at));
            }
        });
    }
}
