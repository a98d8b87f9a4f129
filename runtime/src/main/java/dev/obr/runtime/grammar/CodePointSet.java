package dev.obr.runtime.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode characters, and its UTF-8 as a rule of bytes. Surrogates, which have no UTF-8, are in no set.
 *
 * @param ranges first and last of each range, ascending, neither touching nor overlapping
 */
record CodePointSet(List<Range> ranges) {
    /** The characters from {@code first} to {@code last}, both included. */
    record Range(int first, int last) {}

    static final CodePointSet ALL = of(new Range(0, 0xD7FF), new Range(0xE000, 0x10FFFF));

    /** The union of {@code ranges}, without surrogates. */
    static CodePointSet of(Range... ranges) {
        List<Range> sorted = new ArrayList<>();
        for (Range range : ranges) {
            add(sorted, range.first(), Math.min(range.last(), 0xD7FF));
            add(sorted, Math.max(range.first(), 0xE000), range.last());
        }
        sorted.sort(Comparator.comparingInt(Range::first));
        List<Range> joined = new ArrayList<>();
        for (Range range : sorted) {
            boolean touches =
                    !joined.isEmpty() && range.first() <= joined.getLast().last() + 1;
            if (touches) {
                Range before = joined.removeLast();
                joined.add(new Range(before.first(), Math.max(before.last(), range.last())));
            } else {
                joined.add(range);
            }
        }
        return new CodePointSet(List.copyOf(joined));
    }

    /** The characters of {@code text}. */
    static CodePointSet of(String text) {
        return of(text.codePoints().mapToObj(c -> new Range(c, c)).toArray(Range[]::new));
    }

    CodePointSet or(CodePointSet other) {
        List<Range> both = new ArrayList<>(ranges);
        both.addAll(other.ranges);
        return of(both.toArray(Range[]::new));
    }

    /** All characters that are not in this set. */
    CodePointSet complement() {
        List<Range> gaps = new ArrayList<>();
        int next = 0;
        for (Range range : ranges) {
            add(gaps, next, range.first() - 1);
            next = range.last() + 1;
        }
        add(gaps, next, 0x10FFFF);
        return of(gaps.toArray(Range[]::new));
    }

    CodePointSet without(CodePointSet other) {
        return complement().or(other).complement();
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    boolean contains(int codePoint) {
        return ranges.stream().anyMatch(range -> range.first() <= codePoint && codePoint <= range.last());
    }

    /** The UTF-8 of one character of the set: an alternative for all of one byte, and some for longer ones. */
    Sequence[] utf8() {
        List<Sequence> alternatives = new ArrayList<>();
        ByteSet single = ByteSet.NONE;
        for (Range range : ranges) {
            if (range.first() < 0x80) {
                single = single.or(ByteSet.range(range.first(), Math.min(range.last(), 0x7F)));
            }
            if (range.last() >= 0x80) {
                split(Math.max(range.first(), 0x80), range.last(), alternatives);
            }
        }
        if (!single.equals(ByteSet.NONE)) {
            alternatives.add(new Sequence().bytes(single));
        }
        return alternatives.toArray(Sequence[]::new);
    }

    /** Cuts a range until, in each part, the first and the last character differ in bytes that take all values between. */
    private static void split(int first, int last, List<Sequence> alternatives) {
        for (int limit : new int[] {0x7FF, 0xFFFF}) { // the last character of two bytes, and of three
            if (first <= limit && last > limit) {
                split(first, limit, alternatives);
                split(limit + 1, last, alternatives);
                return;
            }
        }
        byte[] from = utf8(first);
        byte[] to = utf8(last);
        int equal = Arrays.mismatch(from, to);
        for (int tail = from.length - 1 - Math.max(0, equal); equal >= 0 && tail > 0; tail--) {
            int mask = (1 << 6 * tail) - 1; // of the bits in the last bytes
            if ((first & mask) != 0) {
                split(first, first | mask, alternatives);
                split((first | mask) + 1, last, alternatives);
                return;
            }
            if ((last & mask) != mask) {
                split(first, (last & ~mask) - 1, alternatives);
                split(last & ~mask, last, alternatives);
                return;
            }
        }
        Sequence sequence = new Sequence();
        for (int i = 0; i < from.length; i++) {
            sequence.bytes(ByteSet.range(from[i] & 0xFF, to[i] & 0xFF));
        }
        alternatives.add(sequence);
    }

    private static byte[] utf8(int codePoint) {
        return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
    }

    private static void add(List<Range> ranges, int first, int last) {
        if (first <= last) {
            ranges.add(new Range(first, last));
        }
    }
}
