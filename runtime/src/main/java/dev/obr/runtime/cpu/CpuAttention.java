package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Keys and values into the cache, and attention over it.
 *
 * <p>Codes are expanded to floats once a step, for all the step's tokens: good for prompts, and more work than attention itself for single tokens.
 */
final class CpuAttention {
    /** Parts per thread: a thread that is held up leaves the rest to the others. */
    private static final int PARTS_PER_THREAD = 8;

    private final CpuKernels kernels;
    private final ThreadTeam team;
    private final Arena arena;
    private final Precision precision;
    private MemorySegment scores = MemorySegment.NULL; // one stretch per part
    private MemorySegment expanded =
            MemorySegment.NULL; // keys, then values, of one layer's codes: [kvHeads, positions, headDim] each

    CpuAttention(CpuKernels kernels, ThreadTeam team, Arena arena, Precision precision) {
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
        this.precision = precision;
    }

    /** Writes keys and values [tokens, kvHeads · headDim] behind the cache's length; where it is coded, they become what the codes stand for. */
    void append(CpuKvCache cache, int layer, CpuTensor keys, CpuTensor values) {
        cache.reserve(keys.rows());
        int parts = Math.min(keys.rows(), team.threads());
        team.run(parts, part -> {
            int end = (int) ((long) keys.rows() * (part + 1) / parts);
            for (int row = (int) ((long) keys.rows() * part / parts); row < end; row++) {
                append(cache, layer, row, keys.from(row), true, keys.cols());
                append(cache, layer, row, values.from(row), false, keys.cols());
            }
        });
    }

    private void append(CpuKvCache cache, int layer, int row, MemorySegment x, boolean keys, int cols) {
        int headDim = cache.headDim();
        int position = cache.length() + row;
        KvQuantizer quantizer = cache.quantizer();
        DType type = cache.type();
        float[] rounded = new float[quantizer == null ? 0 : cols];
        MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, 0, rounded, 0, rounded.length);
        if (quantizer != null && type != null) {
            round(rounded, quantizer);
            MemorySegment.copy(rounded, 0, x, ValueLayout.JAVA_FLOAT, 0, cols);
        }
        for (int head = 0; head < cols / headDim; head++) {
            MemorySegment place = keys ? cache.keys(layer, head, position) : cache.values(layer, head, position);
            if (type != null) {
                kernels.store(x.asSlice(4L * head * headDim), type, headDim, place);
            } else if (quantizer != null) {
                quantizer.store(rounded, head * headDim, place, 0);
            }
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
        int headDim = cache.headDim();
        int kvHeads = cache.kvHeads();
        int group = q.cols() / headDim / kvHeads;
        int tokens = q.rows();
        int held = cache.length();
        int positions = held + tokens;
        float scale = (float) (1 / Math.sqrt(headDim));
        DType cached = cache.type();
        if (cached == null) {
            expand(cache, layer, positions);
        }
        DType type = cached == null ? DType.F32 : cached;
        // One part = one KV head and a stretch of tokens, so that a head's keys and values are read by few threads.
        int stretches = Math.min(tokens, team.threads() * PARTS_PER_THREAD);
        long scratch = (long) group * positions;
        if (scores.byteSize() < 4 * kvHeads * stretches * scratch) {
            scores = arena.allocate(Math.max(4 * kvHeads * stretches * scratch, 2 * scores.byteSize()), 64);
        }
        team.run(kvHeads * stretches, part -> {
            int head = part % kvHeads;
            MemorySegment keys = cached == null ? expanded(head, positions, headDim) : cache.keys(layer, head, 0);
            MemorySegment values =
                    cached == null ? expanded(kvHeads + head, positions, headDim) : cache.values(layer, head, 0);
            MemorySegment partScores = scores.asSlice(4L * part * scratch, 4L * scratch);
            long at = 4L * head * group * headDim;
            for (int t = part / kvHeads; t < tokens; t += stretches) {
                kernels.attention(
                        q.from(t).asSlice(at),
                        group,
                        headDim,
                        keys,
                        values,
                        type,
                        held + t + 1,
                        scale,
                        partScores,
                        y.from(t).asSlice(at));
            }
        });
    }

    private MemorySegment expanded(int head, int positions, int headDim) {
        long bytes = 4L * positions * headDim;
        return expanded.asSlice(head * bytes, bytes);
    }

    private void expand(CpuKvCache cache, int layer, int positions) {
        KvQuantizer quantizer = Objects.requireNonNull(cache.quantizer());
        int kvHeads = cache.kvHeads();
        int headDim = cache.headDim();
        long bytes = 2L * kvHeads * 4 * positions * headDim;
        if (expanded.byteSize() < bytes) {
            expanded = arena.allocate(Math.max(bytes, 2 * expanded.byteSize()), 64);
        }
        team.run(2 * kvHeads, part -> {
            MemorySegment codes = part < kvHeads ? cache.keys(layer, part, 0) : cache.values(layer, part - kvHeads, 0);
            MemorySegment floats = expanded(part, positions, headDim);
            float[] x = new float[headDim];
            for (int p = 0; p < positions; p++) {
                quantizer.expand(codes, (long) p * quantizer.byteSize(), x, 0);
                MemorySegment.copy(x, 0, floats, ValueLayout.JAVA_FLOAT, 4L * p * headDim, headDim);
            }
        });
    }
}
