package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvCache;
import java.util.List;
import java.util.Objects;

/** The caches of a batch and of texts that have ended, within a limit of bytes. */
final class BatchMemory {
    private final LanguageModel model;
    private final ForwardPass pass;
    private final PrefixCache ended = new PrefixCache();
    private final long sequenceBytes; // of the whole context
    private final long limit;

    /** @throws ObrException if the limit does not hold one sequence of the whole context */
    BatchMemory(LanguageModel model, BatchOptions options) {
        this.model = model;
        this.pass = model.pass();
        try (KvCache empty = newCache()) {
            sequenceBytes = empty.bytes() + empty.missingBytes(model.contextLength());
        }
        limit = options.cacheBytes() == 0 ? options.running() * sequenceBytes : options.cacheBytes();
        if (limit < sequenceBytes) {
            throw new ObrException("The memory for keys and values is limited to " + (limit >> 20)
                    + " MiB, but one sequence of " + model.contextLength() + " tokens needs " + (sequenceBytes >> 20)
                    + " MiB: allow more, or take a smaller context.");
        }
    }

    long limit() {
        return limit;
    }

    private KvCache newCache() {
        return pass.newCache(model.kv(), model.contextLength());
    }

    /** Whether so many more tokens fit, once ended texts are forgotten. */
    boolean hasRoomFor(int tokens) {
        return fits((long) ((double) sequenceBytes * tokens / model.contextLength()));
    }

    /** Whether a step fits, once ended texts are forgotten. */
    boolean hasRoomFor(List<Share> step) {
        return fits(step.stream().mapToLong(Share::missingBytes).sum());
    }

    private boolean fits(long bytes) {
        boolean freed = true;
        while (freed && pass.cacheBytes() + bytes > limit) {
            freed = ended.evict();
        }
        return pass.cacheBytes() + bytes <= limit;
    }

    /**
     * Gives a sequence a cache, which holds what it can of the sequence's beginning.
     *
     * @param others sequences whose caches it may share
     */
    void begin(BatchSequence sequence, List<BatchSequence> others) {
        KvCache origin = null;
        int common = 0;
        if (pass.sharesCaches() && !sequence.request.promptLogprobs()) {
            PrefixCache.Entry entry = ended.find(sequence);
            if (entry != null) {
                origin = entry.cache();
                common = sequence.common(entry.tokens());
            }
            for (BatchSequence other : others) {
                int held = other == sequence ? 0 : sequence.common(other.text.tokens(0, other.held()));
                if (held > common) {
                    origin = other.cache();
                    common = held;
                }
            }
        }
        sequence.begin(common == 0 ? newCache() : pass.fork(Objects.requireNonNull(origin), common));
    }

    /** What of a sequence's beginning ended texts hold. */
    int held(BatchSequence sequence) {
        PrefixCache.Entry entry = ended.find(sequence);
        return entry == null ? 0 : sequence.common(entry.tokens());
    }

    /** Keeps the cache of a text that has ended, for those that begin like it. */
    void keep(BatchSequence sequence) {
        int held = sequence.held();
        KvCache cache = sequence.release();
        if (cache != null && pass.sharesCaches() && held > 0) {
            ended.add(sequence.text.tokens(0, held), cache);
            fits(0);
        } else if (cache != null) {
            cache.close();
        }
    }

    void free(BatchSequence sequence) {
        KvCache cache = sequence.release();
        if (cache != null) {
            cache.close();
        }
    }

    /** Frees what ended texts hold. */
    void clear() {
        boolean freed = true;
        while (freed) {
            freed = ended.evict();
        }
    }
}
