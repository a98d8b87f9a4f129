package dev.obr.models.tokenizer;

import java.util.Arrays;

/**
 * Pairs of neighbours that wait to be merged, best first: a binary heap of longs, each (priority, position of the left neighbour). The lowest priority comes first, the leftmost
 * among equals.
 */
final class MergeQueue {
    private long[] heap = new long[64];
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    void clear() {
        size = 0;
    }

    static int priority(long entry) {
        return (int) (entry >> 32);
    }

    static int position(long entry) {
        return (int) entry;
    }

    /** @param position 0 or more */
    void add(int priority, int position) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        long entry = (long) priority << 32 | position;
        int i = size++;
        while (i > 0 && heap[(i - 1) / 2] > entry) {
            heap[i] = heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        heap[i] = entry;
    }

    long remove() {
        long first = heap[0];
        long last = heap[--size];
        int i = 0;
        for (int child = 1; child < size; child = 2 * i + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = last;
        return first;
    }
}
