package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Attention over a cache of codes, which are computed with as they lie.
 *
 * <p>A prompt is split by KV head and stretch of tokens, each over all pages of positions. A few tokens are split by pages too, so that long contexts keep all threads busy. The pages' results
 * are merged in their order, so they are the same to the last bit however the work is split.
 */
final class CodeAttention {
    /** Tokens that read a block together: while its codes are in L1. */
    private static final int STRETCH = 16;

    /** Parts per thread: a thread that is held up leaves the rest to the others. */
    private static final int PARTS_PER_THREAD = 4;

    private final CpuKernels kernels;
    private final ThreadTeam team;
    private final Arena arena;
    private MemorySegment results = MemorySegment.NULL;

    CodeAttention(CpuKernels kernels, ThreadTeam team, Arena arena) {
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
    }

    /** Writes keys and values [tokens, kvHeads · headDim] behind the cache's length. */
    void append(CodeKvCache cache, int layer, CpuTensor keys, CpuTensor values) {
        int kvHeads = cache.kvHeads();
        // Tokens share words, heads do not. A single token is one part for all keys and one for all values.
        int parts = keys.rows() == 1 ? 1 : kvHeads;
        team.run(2 * parts, part -> {
            boolean isValue = part >= parts;
            int head = part % parts;
            CpuTensor x = isValue ? values : keys;
            for (int row = 0; row < x.rows(); ) {
                int page = (cache.length() + row) / CodeKvCache.PAGE;
                int position = (cache.length() + row) % CodeKvCache.PAGE;
                int tokens = Math.min(x.rows() - row, CodeKvCache.PAGE - position);
                kernels.storeCodes(
                        cache.tiles(),
                        isValue,
                        x.from(row).asSlice(4L * head * cache.tiles().headDim()),
                        x.cols(),
                        tokens,
                        kvHeads / parts,
                        isValue ? cache.values(layer, head, page) : cache.keys(layer, head, page),
                        cache.headBytes(),
                        position);
                row += tokens;
            }
        });
    }

    /** Causal attention of the tokens just appended: q [tokens, heads · headDim] -> y of q's shape. */
    void run(CpuTensor q, CodeKvCache cache, int layer, CpuTensor y) {
        new Step(q, cache, layer, y).run();
    }

    /** One call: how it is split. A part is a KV head and a stretch of tokens; its results are those of one page after the other. */
    private final class Step {
        private final CpuTensor q;
        private final CodeKvCache cache;
        private final int layer;
        private final CpuTensor y;
        private final int headDim;
        private final int kvHeads;
        private final int group;
        private final int parts;
        private final int pages;

        Step(CpuTensor q, CodeKvCache cache, int layer, CpuTensor y) {
            this.q = q;
            this.cache = cache;
            this.layer = layer;
            this.y = y;
            headDim = cache.tiles().headDim();
            kvHeads = cache.kvHeads();
            group = q.cols() / headDim / kvHeads;
            parts = (q.rows() + STRETCH - 1) / STRETCH * kvHeads;
            pages = pages(q.rows());
        }

        /** Pages that so many tokens of the step see. */
        private int pages(int tokens) {
            return (cache.length() + tokens + CodeKvCache.PAGE - 1) / CodeKvCache.PAGE;
        }

        void run() {
            if (parts >= team.threads() * PARTS_PER_THREAD) {
                inParts();
            } else {
                inPages();
            }
        }

        /** Many parts: each goes over its pages by itself, in the results' memory of a thread. */
        private void inParts() {
            ConcurrentLinkedQueue<MemorySegment> free = new ConcurrentLinkedQueue<>();
            MemorySegment all = results(team.threads());
            for (int thread = 0; thread < team.threads(); thread++) {
                free.add(all.asSlice(thread * partBytes(), partBytes()));
            }
            team.run(parts, part -> {
                MemorySegment mine = Objects.requireNonNull(free.poll());
                for (int page = 0; page < pages; page++) {
                    attend(part, page, mine);
                }
                merge(part, mine);
                free.add(mine);
            });
        }

        /** Few parts: all pages of all parts at once. */
        private void inPages() {
            MemorySegment all = results(parts);
            team.run(
                    parts * pages,
                    i -> attend(i / pages, i % pages, all.asSlice(i / pages * partBytes(), partBytes())));
            team.run(parts, part -> merge(part, all.asSlice(part * partBytes(), partBytes())));
        }

        private void attend(int part, int page, MemorySegment partResults) {
            int token = token(part);
            int first = page * CodeKvCache.PAGE; // position
            int end = cache.length() + token + tokens(part) - first; // of what the part's last token sees
            if (end > 0) {
                kernels.attendCodes(
                        cache.tiles(),
                        heads(q, part),
                        tokens(part),
                        group,
                        q.cols(),
                        cache.keys(layer, part % kvHeads, page),
                        cache.values(layer, part % kvHeads, page),
                        cache.length() + token + 1 - first,
                        0,
                        Math.min(end, CodeKvCache.PAGE),
                        (float) (1 / Math.sqrt(headDim)),
                        partResults.asSlice(page * pageBytes(tokens(part))));
            }
        }

        private void merge(int part, MemorySegment partResults) {
            kernels.mergeAttention(
                    partResults,
                    pages(token(part) + tokens(part)),
                    tokens(part),
                    group,
                    headDim,
                    heads(y, part),
                    y.cols());
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

        /** [n, pages, STRETCH, group, headDim + 2] */
        private MemorySegment results(int n) {
            if (results.byteSize() < n * partBytes()) {
                results = arena.allocate(Math.max(n * partBytes(), 2 * results.byteSize()), 64);
            }
            return results;
        }

        private long partBytes() {
            return pages * pageBytes(STRETCH);
        }

        private long pageBytes(int tokens) {
            return 4L * Math.min(tokens, q.rows()) * group * (headDim + 2);
        }
    }
}
