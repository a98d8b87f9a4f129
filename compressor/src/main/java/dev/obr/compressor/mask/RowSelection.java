package dev.obr.compressor.mask;

import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;

/**
 * Finds which entries of a row a pattern keeps: those of largest squares; of pairs, those of largest sums. Equal ones are pruned from the left, and the last group is padded as in
 * {@link MaskSelection}. For one thread.
 *
 * <p>Nothing is sorted: squares are compared as the integers of their bits, which are ordered as they are. A small group's entry is kept if it wins enough comparisons against the others
 * (all groups at once, without branches); longer groups and whole rows bisect for the threshold.
 */
final class RowSelection {
    /** Groups of up to this many units compare each with each. */
    private static final int COMPARED = 8;

    private final Pattern pattern;
    private final int cols;
    private final int pruned;
    private final int groups;
    private final int[][] keys;
    private final int[][] wins;
    private final int[] ranked;
    private final int[] chosen;

    /** @param sparsity share of the row that is pruned, in [0, 1); only {@link Pattern#UNSTRUCTURED} asks for it */
    RowSelection(Pattern pattern, int cols, double sparsity) {
        this.pattern = pattern;
        this.cols = cols;
        this.pruned = (int) (cols * sparsity);
        int units = pattern.group() / pattern.unit();
        boolean compared = pattern.grouped() && units <= COMPARED;
        groups = compared ? cols / pattern.group() : 0;
        keys = new int[compared ? units : 0][groups]; // [unit of a group][group]
        wins = new int[keys.length][groups];
        ranked = new int[pattern.grouped() ? units : cols];
        chosen = new int[ranked.length];
    }

    /**
     * Chooses by the squares of {@code values}.
     *
     * @param values [cols]
     * @param kept [cols] receives 1 for what is kept, else 0
     */
    void choose(float[] values, float[] kept) {
        if (pattern == Pattern.UNSTRUCTURED) {
            chooseLargest(values, kept, 0, cols, pruned);
            return;
        }
        compareAll(values, kept);
        int unit = pattern.unit();
        for (int from = groups * pattern.group(); from < cols; from += pattern.group()) {
            int to = Math.min(from + pattern.group(), cols);
            int padding = pattern.group() / unit - Math.ceilDiv(to - from, unit);
            int half = (pattern.group() - pattern.keptPerGroup()) / unit;
            chooseLargest(values, kept, from, to, Math.max(0, half - padding));
        }
    }

    private void compareAll(float[] values, float[] kept) {
        int unit = pattern.unit();
        int needed = pattern.keptPerGroup() / unit;
        for (int u = 0; u < keys.length; u++) {
            gatherKeys(values, u * unit, keys[u]);
        }
        for (int[] won : wins) {
            Arrays.fill(won, 0);
        }
        for (int left = 0; left < keys.length; left++) {
            for (int right = left + 1; right < keys.length; right++) {
                compare(keys[left], keys[right], wins[left], wins[right]);
            }
        }
        for (int u = 0; u < keys.length; u++) {
            scatter(wins[u], needed, u * unit, kept);
        }
    }

    /** Writes the same unit of all groups: 1 where it won often enough. */
    private void scatter(int[] won, int needed, int first, float[] kept) {
        int step = pattern.group();
        if (pattern.unit() == 2) {
            for (int g = 0, at = first; g < won.length; g++, at += step) {
                float one = (needed - 1 - won[g]) >>> 31;
                kept[at] = one;
                kept[at + 1] = one;
            }
        } else {
            for (int g = 0, at = first; g < won.length; g++, at += step) {
                kept[at] = (needed - 1 - won[g]) >>> 31;
            }
        }
    }

    private void gatherKeys(float[] values, int first, int[] into) {
        int step = pattern.group();
        if (pattern.unit() == 2) {
            for (int g = 0, at = first; g < into.length; g++, at += step) {
                into[g] = Float.floatToRawIntBits(values[at] * values[at] + values[at + 1] * values[at + 1]);
            }
        } else {
            for (int g = 0, at = first; g < into.length; g++, at += step) {
                into[g] = Float.floatToRawIntBits(values[at] * values[at]);
            }
        }
    }

    /** The right one wins a tie. */
    private static void compare(int[] left, int[] right, int[] leftWins, int[] rightWins) {
        for (int g = 0; g < left.length; g++) {
            int larger = (right[g] - left[g]) >>> 31; // 1 where left > right, as both are non-negative
            leftWins[g] += larger;
            rightWins[g] += 1 - larger;
        }
    }

    /** Keeps all but {@code fewer} units of the columns [from, to). */
    private void chooseLargest(float[] values, float[] kept, int from, int to, int fewer) {
        int units = Math.ceilDiv(to - from, pattern.unit());
        int keep = units - fewer;
        int largest = -1;
        for (int u = 0; u < units; u++) {
            ranked[u] = key(values, from + u * pattern.unit(), to);
        }
        for (int u = 0; u < units; u++) {
            largest = Math.max(largest, ranked[u]);
        }
        int low = -1; // more than `keep` are above it, or all are wanted
        int threshold = fewer == 0 ? -1 : largest; // at most `keep` are above it
        int above = fewer == 0 ? keep : 0;
        while (above < keep && threshold - low > 1) {
            int middle = low + (threshold - low) / 2;
            int count = countAbove(middle, units);
            if (count > keep) {
                low = middle;
            } else {
                threshold = middle;
                above = count;
            }
        }
        for (int u = 0; u < units; u++) {
            chosen[u] = (threshold - ranked[u]) >>> 31;
        }
        for (int u = units - 1; above < keep; u--) { // ties: the rightmost are kept
            if (ranked[u] == threshold) {
                chosen[u] = 1;
                above++;
            }
        }
        for (int c = from; c < to; c++) {
            kept[c] = chosen[(c - from) / pattern.unit()];
        }
    }

    /** The bits of the sum of squares of the unit at {@code first}, which may end early. */
    private int key(float[] values, int first, int end) {
        float sum = values[first] * values[first];
        if (pattern.unit() == 2 && first + 1 < end) {
            sum += values[first + 1] * values[first + 1];
        }
        return Float.floatToRawIntBits(sum);
    }

    private int countAbove(int threshold, int units) {
        int count = 0;
        for (int u = 0; u < units; u++) {
            count += (threshold - ranked[u]) >>> 31;
        }
        return count;
    }
}
