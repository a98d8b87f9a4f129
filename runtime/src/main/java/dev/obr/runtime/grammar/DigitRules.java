package dev.obr.runtime.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Numbers within bounds, digit by digit: 5 to 321 is {@code [5-9] | [1-9][0-9] | [12][0-9][0-9] | 3([01][0-9] | 2[01])}.
 *
 * <p>Bounds lie within -{@link #LIMIT} and {@link #LIMIT}.
 */
final class DigitRules {
    /** Most digits before the point, and most behind it. */
    static final int DIGITS = 18;

    /** The largest number before the point. */
    static final long LIMIT = 999_999_999_999_999_999L;

    private final GrammarBuilder grammar;
    private final int digit;
    private final int zero;

    DigitRules(GrammarBuilder grammar) {
        this.grammar = grammar;
        this.digit = grammar.rule("a digit", new Sequence().bytes(ByteSet.range('0', '9')));
        this.zero = grammar.rule("a zero", Sequence.of("0"));
    }

    int digit() {
        return digit;
    }

    /** The integers from {@code min} to {@code max}. */
    Sequence[] integer(long min, long max) {
        List<Sequence> signs = new ArrayList<>();
        if (max >= 0) {
            signs.add(Sequence.of(magnitude(Math.max(min, 0), max)));
        }
        if (min < 0) {
            signs.add(Sequence.of("-").rule(magnitude(Math.max(-max, 1), -min)));
        }
        return signs.toArray(Sequence[]::new);
    }

    /**
     * The numbers from {@code min} to {@code max}, with a fraction or without.
     *
     * @param aboveMin whether {@code min} itself is excluded
     * @param belowMax whether {@code max} itself is excluded
     */
    Sequence[] number(long min, boolean aboveMin, long max, boolean belowMax) {
        List<Sequence> signs = new ArrayList<>();
        if (max >= 0) {
            signs.addAll(magnitudes(Math.max(min, 0), aboveMin && min >= 0, max, belowMax));
        }
        if (min <= 0) { // -0.0 is a number, too
            for (Sequence magnitude : magnitudes(Math.max(-max, 0), belowMax && max <= 0, -min, aboveMin)) {
                signs.add(Sequence.of("-").then(magnitude));
            }
        }
        return signs.toArray(Sequence[]::new);
    }

    /** A point and up to {@value #DIGITS} digits. */
    Sequence fraction() {
        return Sequence.of(".").repeat(digit, 1, DIGITS);
    }

    /** The integers from {@code min} to {@code max}, neither of them negative. */
    int magnitude(long min, long max) {
        int rule = grammar.rule(min + " to " + max);
        long shortest = 0; // the smallest and the largest integer of as many digits
        for (long longest = 9; shortest <= max; longest = 10 * longest + 9) {
            if (Math.max(min, shortest) <= Math.min(max, longest)) {
                add(rule, Math.max(min, shortest), Math.min(max, longest));
            }
            shortest = longest + 1;
        }
        return rule;
    }

    private List<Sequence> magnitudes(long min, boolean aboveMin, long max, boolean belowMax) {
        List<Sequence> parts = new ArrayList<>();
        if (min == max && !aboveMin && !belowMax) {
            parts.add(exactly(max));
        }
        if (min < max) {
            if (aboveMin) {
                int some = grammar.rule("1 to 9", new Sequence().bytes(ByteSet.range('1', '9')));
                parts.add(Sequence.of(min + ".")
                        .repeat(zero, 0, DIGITS - 1)
                        .rule(some)
                        .repeat(digit, 0, DIGITS - 1));
            }
            long first = aboveMin ? min + 1 : min;
            if (first < max) {
                int fraction = grammar.rule("a fraction", Sequence.of(""), fraction());
                parts.add(Sequence.of(magnitude(first, max - 1)).rule(fraction));
            }
            if (!belowMax) {
                parts.add(exactly(max));
            }
        }
        return parts;
    }

    /** {@code number}, with zeros behind the point or without. */
    private Sequence exactly(long number) {
        int zeros = grammar.rule("zeros", Sequence.of(""), Sequence.of(".").repeat(zero, 1, DIGITS));
        return Sequence.of(String.valueOf(number)).rule(zeros);
    }

    /** Adds the numbers from {@code min} to {@code max}, which have as many digits. */
    private void add(int rule, long min, long max) {
        grammar.add(rule, between(String.valueOf(min), String.valueOf(max)));
    }

    private Sequence between(String min, String max) {
        int common = 0;
        while (common < min.length() && min.charAt(common) == max.charAt(common)) {
            common++;
        }
        Sequence sequence = Sequence.of(min.substring(0, common));
        int rest = min.length() - common - 1; // digits behind the first that differs
        if (rest < 0) {
            return sequence;
        }
        String low = min.substring(common);
        String high = max.substring(common);
        boolean lowFree = low.substring(1).equals("0".repeat(rest));
        boolean highFree = high.substring(1).equals("9".repeat(rest));
        int differing = grammar.rule(low + " to " + high);
        char first = low.charAt(0);
        char last = high.charAt(0);
        if (!lowFree) {
            grammar.add(differing, Sequence.of(low.substring(0, 1)).then(between(low.substring(1), "9".repeat(rest))));
            first++;
        }
        if (!highFree) {
            grammar.add(
                    differing, Sequence.of(high.substring(0, 1)).then(between("0".repeat(rest), high.substring(1))));
            last--;
        }
        if (first <= last) {
            grammar.add(
                    differing, new Sequence().bytes(ByteSet.range(first, last)).repeat(digit, rest, rest));
        }
        return sequence.rule(differing);
    }
}
