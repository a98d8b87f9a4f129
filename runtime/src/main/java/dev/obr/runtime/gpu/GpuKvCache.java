package dev.obr.runtime.gpu;

import dev.obr.runtime.transformer.KvCache;
import java.util.function.IntConsumer;

/** The slot of one sequence and how much of it is filled. */
final class GpuKvCache implements KvCache {
    private final int slot;
    private final int capacity;
    private final long bytes;
    private final IntConsumer onClose;
    private int length;
    private boolean closed;

    /**
     * @param bytes of the slot in all layers
     * @param onClose gets the slot
     */
    GpuKvCache(int slot, int capacity, long bytes, IntConsumer onClose) {
        this.slot = slot;
        this.capacity = capacity;
        this.bytes = bytes;
        this.onClose = onClose;
    }

    int capacity() {
        return capacity;
    }

    /** Slot and position of the next {@code tokens} tokens, for the device. */
    int[] places(int tokens) {
        if (length + tokens > capacity) {
            throw new IllegalStateException(
                    "the sequence is limited to " + capacity + " tokens, " + (length + tokens) + " are asked for");
        }
        int[] places = new int[2 * tokens];
        for (int t = 0; t < tokens; t++) {
            places[2 * t] = slot;
            places[2 * t + 1] = length + t;
        }
        return places;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public void advance(int tokens) {
        length += tokens;
    }

    @Override
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("cannot cut " + length + " tokens to " + newLength);
        }
        length = newLength;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long missingBytes(int tokens) {
        return 0; // the slot has all that the sequence may need
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            onClose.accept(slot);
        }
    }
}
