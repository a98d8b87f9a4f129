package dev.obr.runtime.transformer;

import dev.obr.runtime.sampling.Draw;
import dev.obr.runtime.sampling.Sampler;
import java.util.List;

/**
 * A model in a device's memory, and what sequences of tokens need of it.
 *
 * <p>Steps of different sequences take turns: implementations are safe to share between threads, each cache is used by one thread at a time.
 */
public interface ForwardPass extends AutoCloseable {
    /** Tokens computed together: enough that every weight read from memory is used many times, few enough that activations stay small. */
    int MAX_CHUNK = 512;

    /** What computes: {@code cpu}, {@code cuda:0}, {@code emulator:sm_80}. */
    String device();

    /** Which kernels run, and why not faster ones: one line. */
    String description();

    /** An empty cache for one sequence of at most {@code capacity} tokens. */
    KvCache newCache(KvType type, int capacity);

    /**
     * A cache for a sequence that begins like another: it holds the first {@code length} tokens of {@code cache}, or none where they cannot be shared. Where memory is paged, both share it until
     * one of them writes.
     *
     * @param length at most that cache's
     */
    KvCache fork(KvCache cache, int length);

    /** Whether {@link #fork} holds what is asked for, and costs little. */
    boolean sharesCaches();

    /** Bytes that all caches take now; what sequences share counts once. */
    long cacheBytes();

    /**
     * One step of several sequences. Each gets what it would get alone; where weights are read once for all of them, in less time.
     *
     * @param batch at most {@link #MAX_CHUNK} tokens in all
     */
    void forward(List<SequenceStep> batch);

    /**
     * Appends {@code tokens} to the sequence that {@code cache} holds and gives the logits that follow the last of them.
     *
     * @param tokens 1 to {@link #MAX_CHUNK} ids below the vocabulary size
     * @param logits [vocabularySize] floats to write, or an empty array when only the cache matters
     */
    void forward(KvCache cache, int[] tokens, float[] logits);

    /**
     * Appends {@code tokens} to the sequence that {@code cache} holds and gives the logits that follow each of them from the {@code first} on, a block at a time.
     *
     * @param tokens 1 to {@link #MAX_CHUNK} ids below the vocabulary size
     * @param first index in {@code tokens}; from {@code tokens.length} on, only the cache matters
     */
    void forward(KvCache cache, int[] tokens, int first, LogitRows rows);

    /**
     * Appends {@code tokens} to the sequence that {@code cache} holds and gives the token that is drawn behind the last of them; logits stay where they are, if they can.
     *
     * @param tokens 1 to {@link #MAX_CHUNK} ids below the vocabulary size
     * @param sampler whose draw it is
     */
    int next(KvCache cache, int[] tokens, Sampler sampler, Draw draw);

    /** Waits for the step that runs, if any, then frees everything. */
    @Override
    void close();
}
