package dev.obr.bench.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Made-up token times against values computed by hand, with NumPy's definitions of percentile and standard deviation. */
class ServingFiguresTest {
    private static final long MS = 1_000_000;

    /** Of 10 prompt tokens, sent at 5 ms; tokens at the given milliseconds. */
    private static TokenTimes request(long... arrivals) {
        return new TokenTimes(
                10, 5 * MS, LongStream.of(arrivals).map(at -> at * MS).boxed().toList());
    }

    @Test
    void twoRequestsComeToWhatAHandComputes() {
        // ttft 20, 40; e2el 80, 60; gaps 10 20 30, 20; tpot 20, 20
        Map<String, Double> figures = ServingFigures.of(List.of(request(25, 35, 55, 85), request(45, 65)), 0.5);
        assertThat(figures)
                .contains(
                        entry("duration", 0.5),
                        entry("completed", 2.0),
                        entry("total_input_tokens", 20.0),
                        entry("total_output_tokens", 6.0),
                        entry("request_throughput", 4.0),
                        entry("output_throughput", 12.0),
                        entry("total_token_throughput", 52.0));
        expect(figures, "ttft", 30, 30, 10, 39.8);
        expect(figures, "tpot", 20, 20, 0, 20);
        expect(figures, "itl", 20, 20, Math.sqrt(50), 29.7); // between 20 and 30: 0.99 * 3 = 2.97
        expect(figures, "e2el", 70, 70, 10, 79.8);
    }

    @Test
    void aSlowOutlierIsInTheMeanAndTheTailAndNotInTheMedian() {
        List<Long> arrivals = new ArrayList<>();
        long clock = 6 * MS;
        arrivals.add(clock);
        for (int gap = 0; gap < 100; gap++) {
            clock += gap == 40 ? 101 * MS : MS;
            arrivals.add(clock);
        }
        Map<String, Double> figures = ServingFigures.of(List.of(new TokenTimes(1, 5 * MS, arrivals)), 1);
        // 99 gaps of 1 and one of 101: mean 2, variance (99 * 1 + 99 * 99) / 100 = 99; 0.99 * 99 = 98.01
        expect(figures, "itl", 2, 1, Math.sqrt(99), 2);
        expect(figures, "tpot", 2, 2, 0, 2);
    }

    @Test
    void aSingleTokenHasNoTimeBetweenTokens() {
        Map<String, Double> figures = ServingFigures.of(List.of(request(12)), 0.007);
        assertThat(figures.keySet().stream().filter(name -> name.contains("itl") || name.contains("tpot")))
                .isEmpty();
        expect(figures, "ttft", 7, 7, 0, 7);
        expect(figures, "e2el", 7, 7, 0, 7);
    }

    private static void expect(
            Map<String, Double> figures, String name, double mean, double median, double deviation, double p99) {
        double[] expected = {mean, median, deviation, p99};
        String[] kinds = {"mean_", "median_", "std_", "p99_"};
        for (int i = 0; i < kinds.length; i++) {
            String field = kinds[i] + name + "_ms";
            assertThat(figures).containsKey(field);
            assertThat(figures.getOrDefault(field, Double.NaN)).as(field).isCloseTo(expected[i], within(1e-9));
        }
    }
}
