package dev.obr.bench.results;

import java.util.Arrays;
import java.util.List;

/**
 * One number of a row with its spread.
 *
 * @param unit as it stands beside the number, e.g. {@code s}, {@code tokens/s}, {@code bytes}; {@code x} for a ratio of two figures of one run
 * @param kind where the number comes from
 * @param median of the repetitions
 * @param low the lower quarter of the repetitions, the median where there is one
 * @param high the upper quarter, likewise
 * @param count repetitions
 */
public record Figure(String unit, Kind kind, double median, double low, double high, int count) {
    /** Where a number comes from. */
    public enum Kind {
        /** By a clock or meter, in this run. */
        MEASURED,
        /** By the timing model: no such device was there. */
        MODELLED,
        /** From a paper or vendor. */
        PUBLISHED,
        /** Exact: bytes, operations, parameters. */
        COUNTED
    }

    /** A ratio of two figures of the same run, written so that more is better: what may be compared with another machine's or day's. */
    public static final String RATIO = "x";

    public Figure {
        if (count < 1 || !(low <= median && median <= high)) {
            throw new IllegalArgumentException(
                    "a figure of %d repetitions from %s to %s with the median %s".formatted(count, low, high, median));
        }
    }

    /** Median and quarters of measured repetitions, in any order. */
    public static Figure measured(String unit, List<Double> repetitions) {
        double[] sorted = repetitions.stream().mapToDouble(v -> v).sorted().toArray();
        return new Figure(
                unit,
                Kind.MEASURED,
                quantile(sorted, 0.5),
                quantile(sorted, 0.25),
                quantile(sorted, 0.75),
                sorted.length);
    }

    /** A single number. */
    public static Figure of(String unit, Kind kind, double value) {
        return new Figure(unit, kind, value, value, value, 1);
    }

    public boolean ratio() {
        return unit.equals(RATIO);
    }

    /** Between the quarters, as a part of the median. */
    public double spread() {
        return (high - low) / Math.abs(median);
    }

    /**
     * What so large a part of the values does not exceed, between neighbours in proportion, as NumPy's percentile has it.
     *
     * @param sorted at least one value, ascending
     * @param part from 0 to 1
     */
    public static double quantile(double[] sorted, double part) {
        if (sorted.length == 0) {
            throw new IllegalArgumentException("no repetitions: " + Arrays.toString(sorted));
        }
        double at = part * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
