package dev.obr.models.tokenizer;

import java.util.Arrays;

/** The merges of a byte-level vocabulary: (left token, right token) -> rank and merged token. A hash table of longs with linear probing. */
final class MergeTable {
    private static final long EMPTY = -1;

    private final long[] pairs; // left << 32 | right
    private final int[] ranks; // by slot
    private final int[] merged; // by rank
    private int size;

    /** @param count how many merges will be added */
    MergeTable(int count) {
        int slots = Integer.highestOneBit(Math.max(8, count)) * 4;
        pairs = new long[slots];
        Arrays.fill(pairs, EMPTY);
        ranks = new int[slots];
        merged = new int[count];
    }

    /** Adds the merge of the next rank; of two equal pairs the first counts. */
    void add(int left, int right, int result) {
        long pair = pair(left, right);
        int slot = slot(pair);
        if (pairs[slot] == EMPTY) {
            pairs[slot] = pair;
            ranks[slot] = size;
        }
        merged[size++] = result;
    }

    /** The rank of a pair, or -1 where the two don't merge. */
    int rank(int left, int right) {
        long pair = pair(left, right);
        int slot = slot(pair);
        return pairs[slot] == pair ? ranks[slot] : -1;
    }

    /** The token that the merge of {@code rank} makes. */
    int merged(int rank) {
        return merged[rank];
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    private int slot(long pair) {
        int mask = pairs.length - 1;
        int slot = (int) (pair * 0x9E3779B97F4A7C15L >>> 33) & mask;
        while (pairs[slot] != EMPTY && pairs[slot] != pair) {
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
