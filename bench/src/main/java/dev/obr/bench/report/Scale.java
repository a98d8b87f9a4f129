package dev.obr.bench.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How numbers of one unit are shown together: in a column, or along an axis.
 *
 * @param unit as shown, with a prefix that brings most of the numbers between 1 and 1000; empty where there is none
 * @param factor of the number itself that is shown as 1
 * @param digits that count
 */
record Scale(String unit, double factor, int digits) {
    private static final int TIMED_DIGITS = 3;
    private static final int EXACT_DIGITS = 4;
    private static final double MOST_WHOLE = 1e7;
    private static final double MINUTES_FROM = 600;

    private static final List<Scale> SECONDS = List.of(
            new Scale("ns", 1e-9, TIMED_DIGITS),
            new Scale("us", 1e-6, TIMED_DIGITS),
            new Scale("ms", 1e-3, TIMED_DIGITS),
            new Scale("s", 1, TIMED_DIGITS));
    private static final Scale MINUTES = new Scale("min", 60, TIMED_DIGITS);
    private static final Scale HOURS = new Scale("h", 3600, TIMED_DIGITS);
    private static final List<Scale> BYTES = List.of(
            new Scale("bytes", 1, EXACT_DIGITS),
            new Scale("kB", 1e3, EXACT_DIGITS),
            new Scale("MB", 1e6, EXACT_DIGITS),
            new Scale("GB", 1e9, EXACT_DIGITS));

    /** Fits {@code values}, which are numbers of {@code unit}. */
    static Scale of(String unit, double... values) {
        double[] sorted = Arrays.stream(values).map(Math::abs).sorted().toArray();
        double middle = sorted.length == 0 ? 1 : sorted[sorted.length / 2];
        return switch (unit) {
            case "s" ->
                middle >= 12 * MINUTES_FROM ? HOURS : middle >= MINUTES_FROM ? MINUTES : largest(SECONDS, middle);
            case "bytes" -> largest(BYTES, middle);
            case "ms", "x", "tokens/s", "requests/s", "TOPS", "GB/s" -> new Scale(unit, 1, TIMED_DIGITS);
            default -> new Scale(unit, 1, EXACT_DIGITS);
        };
    }

    /** The largest of which {@code value} holds one, or the smallest. */
    private static Scale largest(List<Scale> rising, double value) {
        return rising.stream()
                .filter(scale -> value >= scale.factor)
                .reduce((a, b) -> b)
                .orElse(rising.getFirst());
    }

    /** {@code value} without its unit. */
    String text(double value) {
        double shown = value / factor;
        if (Double.isNaN(shown) || Double.isInfinite(shown)) {
            return String.valueOf(shown);
        }
        if (digits == EXACT_DIGITS && shown == Math.rint(shown) && Math.abs(shown) < MOST_WHOLE) {
            return Long.toString((long) shown);
        }
        BigDecimal rounded = new BigDecimal(shown).round(new MathContext(digits, RoundingMode.HALF_EVEN));
        double size = rounded.abs().doubleValue();
        if (size != 0 && (size < 1e-4 || size >= 1e9)) {
            return String.format(Locale.ROOT, "%." + (digits - 1) + "e", shown);
        }
        int whole = rounded.precision() - rounded.scale();
        return rounded.setScale(Math.max(0, digits - whole), RoundingMode.HALF_EVEN)
                .toPlainString();
    }

    /** {@code value} with its unit. */
    String withUnit(double value) {
        return text(value) + (unit.equals("x") ? "x" : unit.isEmpty() ? "" : " " + unit);
    }

    /** A number along an axis: {@code 0.1}, {@code 16}, {@code 20 G}. */
    static String tick(double value) {
        double size = Math.abs(value);
        String prefix = size >= 1e9 ? " G" : size >= 1e6 ? " M" : "";
        double shown = size >= 1e9 ? value / 1e9 : size >= 1e6 ? value / 1e6 : value;
        return new BigDecimal(shown)
                        .round(new MathContext(EXACT_DIGITS))
                        .stripTrailingZeros()
                        .toPlainString()
                + prefix;
    }
}
