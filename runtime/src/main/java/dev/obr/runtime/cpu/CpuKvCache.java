package dev.obr.runtime.cpu;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.transformer.KvCache;
import java.util.concurrent.atomic.AtomicLong;

/** What caches of floats and of codes have in common: how many tokens they hold, and may hold. */
abstract sealed class CpuKvCache implements KvCache permits FloatKvCache, CodeKvCache {
    private final int limit;
    private final AtomicLong taken;
    private int length;

    /**
     * @param limit most tokens
     * @param taken counts the bytes of all caches of a backend
     */
    CpuKvCache(int limit, AtomicLong taken) {
        this.limit = limit;
        this.taken = taken;
    }

    /** Makes room for {@code tokens} more, which no other sequence sees. */
    final void reserve(int tokens) {
        int needed = length + tokens;
        if (needed > limit) {
            throw new IllegalStateException(
                    "the sequence is limited to " + limit + " tokens, " + needed + " are asked for");
        }
        try {
            makeRoom(needed);
        } catch (OutOfMemoryError e) {
            long mebibytes = bytes() + missingBytes(tokens) >> 20;
            throw new ObrException(
                    "The KV cache of " + needed + " tokens needs " + mebibytes
                            + " MiB, which this process cannot get: use a smaller --context or --kv int4.",
                    e);
        }
    }

    abstract void makeRoom(int tokens);

    abstract CpuKvCache beginning(int length);

    final int limit() {
        return limit;
    }

    final AtomicLong taken() {
        return taken;
    }

    @Override
    public final int length() {
        return length;
    }

    @Override
    public final void advance(int tokens) {
        length += tokens;
    }

    @Override
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("cannot cut " + length + " tokens to " + newLength);
        }
        length = newLength;
    }

    /** A cache that begins with the first tokens of this one. */
    final CpuKvCache fork(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("of " + length + " tokens, no sequence can begin with " + newLength);
        }
        CpuKvCache fork = beginning(newLength);
        fork.advance(newLength);
        return fork;
    }
}
