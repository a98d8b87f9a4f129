package dev.obr.runtime;

import dev.obr.kernels.ObrException;

/**
 * How requests are computed together.
 *
 * @param running sequences at most that are computed together
 * @param waiting requests at most that wait for their turn
 * @param chunk tokens of prompts at most in one step beside running texts: no text waits for more than that between two tokens
 * @param cacheBytes most memory of keys and values; 0 for what {@code running} sequences of the whole context take
 */
public record BatchOptions(int running, int waiting, int chunk, long cacheBytes) {
    public BatchOptions {
        check(running >= 1 && running <= 256, "max-concurrent", running, "1 to 256");
        check(waiting >= 0, "queue", waiting, "0 or more");
        check(chunk >= 1 && chunk <= 512, "chunk", chunk, "1 to 512");
        check(cacheBytes >= 0, "cache bytes", cacheBytes, "0 or more");
    }

    private static void check(boolean right, String name, long value, String range) {
        if (!right) {
            throw new ObrException("The option " + name + " is " + value + ", but must be " + range + ".");
        }
    }

    /** 16 sequences together, 256 waiting, 64 tokens of prompts a step. */
    public static BatchOptions defaults() {
        return new BatchOptions(16, 256, 64, 0);
    }

    public BatchOptions withRunning(int running) {
        return new BatchOptions(running, waiting, chunk, cacheBytes);
    }

    public BatchOptions withWaiting(int waiting) {
        return new BatchOptions(running, waiting, chunk, cacheBytes);
    }

    public BatchOptions withChunk(int chunk) {
        return new BatchOptions(running, waiting, chunk, cacheBytes);
    }

    public BatchOptions withCacheBytes(long cacheBytes) {
        return new BatchOptions(running, waiting, chunk, cacheBytes);
    }
}
