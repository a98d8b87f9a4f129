package dev.obr.bench.e2e;

import dev.obr.bench.results.Figure;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run of requests comes to, by the field names and definitions of vLLM's serving benchmark ({@code vllm bench serve --save-result}).
 *
 * <pre>
 *   sent      first token                 last token
 *     |--- ttft ---|-- itl --|-- itl --| .. |        tpot: the mean itl of one request
 *     |---------------- e2el ---------------|        std: of the whole, not of a sample
 * </pre>
 */
final class ServingFigures {
    private static final double P99 = 0.99;

    private ServingFigures() {}

    /**
     * Throughputs and latencies.
     *
     * @param requests all of the run, one at least
     * @param seconds from the first request's sending to the last token of all
     */
    static Map<String, Double> of(List<TokenTimes> requests, double seconds) {
        int input = requests.stream().mapToInt(TokenTimes::promptTokens).sum();
        int output = requests.stream().mapToInt(TokenTimes::generatedTokens).sum();
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("duration", seconds);
        figures.put("completed", (double) requests.size());
        figures.put("total_input_tokens", (double) input);
        figures.put("total_output_tokens", (double) output);
        figures.put("request_throughput", requests.size() / seconds);
        figures.put("output_throughput", output / seconds);
        figures.put("total_token_throughput", (input + output) / seconds);
        List<TokenTimes> longer =
                requests.stream().filter(r -> r.generatedTokens() > 1).toList();
        put(figures, "ttft", requests.stream().map(TokenTimes::firstMillis).toList());
        put(figures, "tpot", longer.stream().map(TokenTimes::perTokenMillis).toList());
        put(
                figures,
                "itl",
                longer.stream().flatMap(r -> r.gapsMillis().stream()).toList());
        put(figures, "e2el", requests.stream().map(TokenTimes::allMillis).toList());
        return figures;
    }

    /** Of single tokens there are no times between tokens: those figures are left out. */
    private static void put(Map<String, Double> figures, String name, List<Double> millis) {
        if (millis.isEmpty()) {
            return;
        }
        double[] sorted = millis.stream().mapToDouble(v -> v).sorted().toArray();
        double mean = Arrays.stream(sorted).average().orElseThrow();
        double variance = Arrays.stream(sorted)
                .map(v -> (v - mean) * (v - mean))
                .average()
                .orElseThrow();
        figures.put("mean_" + name + "_ms", mean);
        figures.put("median_" + name + "_ms", Figure.quantile(sorted, 0.5));
        figures.put("std_" + name + "_ms", Math.sqrt(variance));
        figures.put("p99_" + name + "_ms", Figure.quantile(sorted, P99));
    }
}
