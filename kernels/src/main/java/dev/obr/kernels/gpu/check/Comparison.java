package dev.obr.kernels.gpu.check;

import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a device gave, held against what it should have.
 *
 * @param values that were compared
 * @param largest difference between any two
 * @param firstWrong the first value that is off by more than allowed, in words; none where all are right
 */
public record Comparison(
        long values, double largest, @Nullable String firstWrong) {
    /** Of nothing. */
    static final Comparison NONE = new Comparison(0, 0, null);

    public boolean right() {
        return firstWrong == null;
    }

    /** This and one more. */
    Comparison and(Comparison other) {
        return new Comparison(
                values + other.values,
                Math.max(largest, other.largest),
                firstWrong != null ? firstWrong : other.firstWrong);
    }

    /** The same, of values that are no results. */
    Comparison withoutValues() {
        return new Comparison(0, largest, firstWrong);
    }

    /**
     * Compares numbers.
     *
     * @param allowed difference of each, 0 for equality; no number equals no number
     * @param place what the i-th is, for the sentence
     */
    static Comparison of(
            int values,
            IntToDoubleFunction found,
            IntToDoubleFunction expected,
            IntToDoubleFunction allowed,
            IntFunction<String> place) {
        double largest = 0;
        String firstWrong = null;
        for (int i = 0; i < values; i++) {
            double is = found.applyAsDouble(i);
            double should = expected.applyAsDouble(i);
            double difference = difference(is, should);
            largest = Math.max(largest, difference);
            if (firstWrong == null && difference > allowed.applyAsDouble(i)) {
                firstWrong = place.apply(i) + " is " + number(is) + ", not " + number(should);
            }
        }
        return new Comparison(values, largest, firstWrong);
    }

    /** Compares numbers that have to be equal. */
    static Comparison equal(
            int values, IntToDoubleFunction found, IntToDoubleFunction expected, IntFunction<String> place) {
        return of(values, found, expected, i -> 0, place);
    }

    private static double difference(double a, double b) {
        if (a == b || Double.isNaN(a) && Double.isNaN(b)) {
            return 0; // infinities too
        }
        double difference = Math.abs(a - b);
        return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
    }

    /** Whole numbers without a fraction, others as floats: nothing that is compared has more digits. */
    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e9
                ? String.valueOf((long) value)
                : String.valueOf((float) value);
    }
}
