package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.KvTiles;
import dev.obr.kernels.cpu.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Attention over a cache of codes, which are computed with as they lie.
 *
 * <p>A prompt is split by KV head and stretch of tokens, each over all positions. A few tokens are split by KV head and block of positions, so that long contexts keep all threads busy, and
 * the blocks' results are merged. Kernels merge blocks in the same order, so results are the same to the last bit however the work is split.
 */
final class CodeAttention {
    /** Tokens that read a block together: while its codes are in L1. */
    private static final int STRETCH = 16;

    /** Parts per thread: a thread that is held up leaves the rest to the others. */
    private static final int PARTS_PER_THREAD = 4;

    private final CpuKernels kernels;
    private final ThreadTeam team;
    private final Arena arena;
    private MemorySegment results = MemorySegment.NULL; // [stretches, kvHeads, spans, STRETCH, group, headDim + 2]

    CodeAttention(CpuKernels kernels, ThreadTeam team, Arena arena) {
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
    }

    /** Writes keys and values [tokens, kvHeads · headDim] behind the cache's length. */
    void append(CpuKvCache cache, KvTiles tiles, int layer, CpuTensor keys, CpuTensor values) {
        int kvHeads = cache.kvHeads();
        // Tokens share words, heads do not. A single token is one part for all keys and one for all values.
        int parts = keys.rows() == 1 ? 1 : kvHeads;
        team.run(2 * parts, part -> {
            boolean isValue = part >= parts;
            int head = part % parts;
            kernels.storeCodes(
                    tiles,
                    isValue,
                    (isValue ? values : keys).memory().asSlice(4L * head * cache.headDim()),
                    keys.cols(),
                    keys.rows(),
                    kvHeads / parts,
                    isValue ? cache.values(layer, head, 0) : cache.keys(layer, head, 0),
                    cache.headBytes(),
                    cache.length());
        });
    }

    /** Causal attention of the tokens just appended: q [tokens, heads · headDim] -> y of q's shape. */
    void run(CpuTensor q, CpuKvCache cache, KvTiles tiles, int layer, CpuTensor y) {
        new Step(q, cache, tiles, layer, y).run();
    }

    /** One call: how it is split. */
    private final class Step {
        private final CpuTensor q;
        private final CpuKvCache cache;
        private final KvTiles tiles;
        private final int layer;
        private final CpuTensor y;
        private final int headDim;
        private final int kvHeads;
        private final int group;
        private final int stretches;
        private final int spans; // of positions: 1, or as many as there are blocks

        Step(CpuTensor q, CpuKvCache cache, KvTiles tiles, int layer, CpuTensor y) {
            this.q = q;
            this.cache = cache;
            this.tiles = tiles;
            this.layer = layer;
            this.y = y;
            headDim = cache.headDim();
            kvHeads = cache.kvHeads();
            group = q.cols() / headDim / kvHeads;
            stretches = (q.rows() + STRETCH - 1) / STRETCH;
            spans = stretches * kvHeads >= team.threads() * PARTS_PER_THREAD ? 1 : blocks(q.rows());
        }

        /** Blocks of positions that so many tokens of the step see. */
        private int blocks(int tokens) {
            return (cache.length() + tokens + KvTiles.BLOCK - 1) / KvTiles.BLOCK;
        }

        void run() {
            int parts = stretches * kvHeads;
            long bytes = parts * spans * spanBytes(STRETCH);
            if (results.byteSize() < bytes) {
                results = arena.allocate(Math.max(bytes, 2 * results.byteSize()), 64);
            }
            team.run(parts * spans, part -> {
                attend(part / spans, part % spans);
                if (spans == 1) {
                    merge(part);
                }
            });
            if (spans > 1) {
                team.run(parts, this::merge);
            }
        }

        private void attend(int part, int span) {
            int token = token(part);
            int from = span * KvTiles.BLOCK;
            int end = cache.length() + token + tokens(part);
            int to = spans == 1 ? end : Math.min(end, from + KvTiles.BLOCK);
            if (from < to) {
                kernels.attendCodes(
                        tiles,
                        heads(q, part),
                        tokens(part),
                        group,
                        q.cols(),
                        cache.keys(layer, part % kvHeads, 0),
                        cache.values(layer, part % kvHeads, 0),
                        cache.length() + token + 1,
                        from,
                        to,
                        (float) (1 / Math.sqrt(headDim)),
                        results(part).asSlice(span * spanBytes(tokens(part))));
            }
        }

        private void merge(int part) {
            int tokens = tokens(part);
            int merged = spans == 1 ? 1 : blocks(token(part) + tokens);
            kernels.mergeAttention(results(part), merged, tokens, group, headDim, heads(y, part), y.cols());
        }

        /** First token of a part. */
        private int token(int part) {
            return part / kvHeads * STRETCH;
        }

        private int tokens(int part) {
            return Math.min(q.rows() - token(part), STRETCH);
        }

        /** The query heads of a part, from its first token on. */
        private MemorySegment heads(CpuTensor tensor, int part) {
            return tensor.from(token(part)).asSlice(4L * (part % kvHeads) * group * headDim);
        }

        private MemorySegment results(int part) {
            return results.asSlice(part * spans * spanBytes(STRETCH));
        }

        private long spanBytes(int tokens) {
            return 4L * Math.min(tokens, q.rows()) * group * (headDim + 2);
        }
    }
}
