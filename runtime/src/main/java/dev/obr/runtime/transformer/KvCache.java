package dev.obr.runtime.transformer;

/**
 * The keys and values of one sequence, for all layers. Grows as tokens come; memory follows the tokens held, not the context length.
 *
 * <p>A step appends its tokens to every layer, then {@link #advance} makes them part of the sequence.
 */
public interface KvCache extends AutoCloseable {
    /** Tokens held: the position of the next one. */
    int length();

    /** Counts {@code tokens} appended tokens in. */
    void advance(int tokens);

    /** Forgets all tokens from position {@code length} on. */
    void truncate(int length);

    /** Bytes taken now; what is shared counts for each. */
    long bytes();

    /** Bytes that appending so many tokens would take from the system. */
    long missingBytes(int tokens);

    /** Frees the memory. */
    @Override
    void close();
}
