package dev.obr.bench;

import java.time.Instant;
import java.util.List;

/**
 * What one test measured.
 *
 * @param cpu the processor's name
 * @param backend what computed, e.g. {@code CPU native}
 * @param modelFile the model's path
 * @param modelType architecture, size and number format, e.g. {@code llama 1.04B F16}
 * @param modelBytes bytes of its weights
 * @param parameters number of its weights
 * @param threads computing threads
 * @param kv how keys and values are kept
 * @param activationBits of the activations that packed weights multiply; 16 for floats
 * @param test what was measured
 * @param time when it began
 * @param sampleNanos duration of each repetition
 */
public record BenchRow(
        String cpu,
        String backend,
        String modelFile,
        String modelType,
        long modelBytes,
        long parameters,
        int threads,
        String kv,
        int activationBits,
        BenchTest test,
        Instant time,
        List<Long> sampleNanos) {
    public BenchRow {
        sampleNanos = List.copyOf(sampleNanos);
    }

    /** Tokens a second of each repetition. */
    public List<Double> samples() {
        return sampleNanos.stream().map(ns -> 1e9 * test.tokens() / ns).toList();
    }

    /** Mean tokens a second. */
    public double tokensPerSecond() {
        return mean(samples());
    }

    /** Standard deviation of the tokens a second between repetitions; 0 for one. */
    public double deviation() {
        return deviation(samples());
    }

    /** Mean duration of a repetition. */
    public double meanNanos() {
        return mean(sampleNanos.stream().map(Long::doubleValue).toList());
    }

    /** Standard deviation of the durations; 0 for one. */
    public double deviationNanos() {
        return deviation(sampleNanos.stream().map(Long::doubleValue).toList());
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(v -> v).average().orElse(0);
    }

    private static double deviation(List<Double> values) {
        if (values.size() < 2) {
            return 0;
        }
        double mean = mean(values);
        double squares =
                values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
        return Math.sqrt(squares / (values.size() - 1));
    }
}
