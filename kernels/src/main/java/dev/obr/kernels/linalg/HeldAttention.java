package dev.obr.kernels.linalg;

import java.lang.foreign.MemorySegment;

/** Causal attention over keys and values that stay in a device's memory, float32 throughout: each travels there once, with the tokens that it belongs to. */
public interface HeldAttention extends AutoCloseable {
    /**
     * Of what model.
     *
     * @param heads of queries; those of each {@code heads / kvHeads} that follow each other share a head of keys and values
     * @param headDim components of a head
     */
    record Shape(int heads, int kvHeads, int headDim) {
        public Shape {
            if (kvHeads < 1 || heads < 1 || heads % kvHeads != 0 || headDim < 1) {
                throw new IllegalArgumentException(
                        heads + " heads of " + headDim + " components cannot share " + kvHeads + " heads of keys");
            }
        }

        /** Query heads to a head of keys and values. */
        public int group() {
            return heads / kvHeads;
        }

        public int queryWidth() {
            return heads * headDim;
        }

        public int kvWidth() {
            return kvHeads * headDim;
        }
    }

    /** Takes the K and V [tokens, kvWidth] of the positions from {@code position} on. */
    void append(int position, int tokens, MemorySegment keys, MemorySegment values);

    /** {@code Y [tokens, queryWidth] <- softmax(Q Kᵀ / √headDim) V} of each head of Q [tokens, queryWidth]; token t sees the positions 0 to {@code position + t}, all of which were appended. */
    void attend(int position, int tokens, MemorySegment q, MemorySegment y);

    @Override
    void close();
}
