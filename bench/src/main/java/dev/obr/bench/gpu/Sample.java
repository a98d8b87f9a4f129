package dev.obr.bench.gpu;

import java.util.Arrays;
import java.util.List;

/**
 * Times of some repetitions.
 *
 * @param seconds in the order in which they were taken
 */
public record Sample(List<Double> seconds) {
    public Sample {
        if (seconds.isEmpty()) {
            throw new IllegalArgumentException("a sample has one time at least");
        }
        seconds = List.copyOf(seconds);
    }

    public double median() {
        return quantile(0.5);
    }

    /** Between the quarters of all times: half of them lie in it; as a part of the median. */
    public double spread() {
        return (quantile(0.75) - quantile(0.25)) / median();
    }

    /** Between neighbours in proportion. */
    private double quantile(double part) {
        double[] sorted = seconds.stream().mapToDouble(s -> s).sorted().toArray();
        double at = part * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }

    @Override
    public String toString() {
        return Arrays.toString(seconds.toArray());
    }
}
