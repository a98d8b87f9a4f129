package dev.obr.bench.gpu;

import dev.obr.bench.results.Figure;
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

    private double quantile(double part) {
        return Figure.quantile(seconds.stream().mapToDouble(s -> s).sorted().toArray(), part);
    }

    @Override
    public String toString() {
        return Arrays.toString(seconds.toArray());
    }
}
