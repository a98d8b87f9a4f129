package dev.obr.compressor.eval;

import java.util.Arrays;

/**
 * The mean of a sample and its standard error.
 *
 * @param count values
 * @param mean their mean; NaN without values
 * @param error standard error of the mean, s / sqrt(n) with s² = sum (x - mean)² / (n - 1); NaN for fewer than two values
 */
public record MeanAndError(int count, double mean, double error) {
    public static MeanAndError of(double[] values) {
        int n = values.length;
        double mean = Arrays.stream(values).sum() / n;
        double squares = Arrays.stream(values).map(x -> (x - mean) * (x - mean)).sum();
        return new MeanAndError(n, mean, n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1) / n));
    }
}
