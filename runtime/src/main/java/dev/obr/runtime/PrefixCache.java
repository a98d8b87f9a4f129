package dev.obr.runtime;

import dev.obr.runtime.transformer.KvCache;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** Keys and values of texts that have ended, for texts that begin like them: the next turn of a conversation, another one with the same instructions. The least recently used leave first. */
final class PrefixCache {
    /** A text and the cache that holds it. */
    record Entry(int[] tokens, KvCache cache) {}

    private static final int MOST = 64;

    private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // most recently used first

    /** Keeps a cache, in the place of what is the beginning of it. */
    void add(int[] tokens, KvCache cache) {
        Iterator<Entry> old = entries.iterator();
        while (old.hasNext()) {
            Entry entry = old.next();
            if (common(tokens, entry.tokens) == entry.tokens.length) {
                old.remove();
                entry.cache.close();
            }
        }
        entries.addFirst(new Entry(tokens, cache));
        if (entries.size() > MOST) {
            evict();
        }
    }

    /** The entry that has most of a sequence's beginning, which thereby is used; null where none has any. */
    @Nullable
    Entry find(BatchSequence sequence) {
        Entry best = null;
        for (Entry entry : entries) {
            if (sequence.common(entry.tokens) > (best == null ? 0 : sequence.common(best.tokens))) {
                best = entry;
            }
        }
        if (best != null) {
            entries.remove(best);
            entries.addFirst(best);
        }
        return best;
    }

    /** Frees the entry that was used least recently; false where there is none. */
    boolean evict() {
        Entry oldest = entries.pollLast();
        if (oldest != null) {
            oldest.cache.close();
        }
        return oldest != null;
    }

    private static int common(int[] a, int[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }
}
