package dev.obr.bench.e2e;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** What was measured of one case, round by round, and the rows that this comes to: one for each variant. */
final class ServingRows {
    /** Ratios to the first variant by their names, and the figures that they are of; of times it is how much shorter, so that more is better. */
    private static final Map<String, String> RATIOS = ratios();

    private final ServingCase test;
    private final List<String> variants;
    private final List<List<Map<String, Double>>> samples; // [variant][round]
    private final Map<Integer, Long> memory = new LinkedHashMap<>(); // by variant

    ServingRows(ServingCase test, List<String> variants) {
        this.test = test;
        this.variants = variants;
        this.samples = Stream.generate(() -> (List<Map<String, Double>>) new ArrayList<Map<String, Double>>())
                .limit(variants.size())
                .toList();
    }

    private static Map<String, String> ratios() {
        Map<String, String> ratios = new LinkedHashMap<>();
        ratios.put("prefill_speedup", "prefill_throughput");
        ratios.put("decode_speedup", "decode_throughput");
        ratios.put("output_speedup", "output_throughput");
        ratios.put("ttft_speedup", "mean_ttft_ms");
        ratios.put("tpot_speedup", "mean_tpot_ms");
        ratios.put("e2el_speedup", "mean_e2el_ms");
        return ratios;
    }

    ServingCase test() {
        return test;
    }

    /** Adds what one variant gave in the next round. */
    void add(int variant, Map<String, Double> figures) {
        samples.get(variant).add(figures);
    }

    void memory(int variant, long bytes) {
        memory.put(variant, bytes);
    }

    /** @param weightBytes of each variant's weights in its file */
    List<ResultRow> rows(List<Long> weightBytes) {
        List<ResultRow> rows = new ArrayList<>();
        for (int i = 0; i < variants.size(); i++) {
            Map<String, String> key = new LinkedHashMap<>();
            key.put("variant", variants.get(i));
            key.putAll(test.key());
            Map<String, Figure> figures = new LinkedHashMap<>();
            for (String name : samples.get(i).getFirst().keySet()) {
                figures.put(name, Figure.measured(unit(name), values(i, name)));
            }
            figures.put("weight_bytes", Figure.of("bytes", Kind.COUNTED, weightBytes.get(i)));
            Long peak = memory.get(i);
            if (peak != null) {
                figures.put("peak_memory", Figure.of("bytes", Kind.MEASURED, peak));
            }
            if (i > 0) {
                addRatios(figures, i, weightBytes);
            }
            rows.add(new ResultRow(key, figures));
        }
        return rows;
    }

    private void addRatios(Map<String, Figure> figures, int variant, List<Long> weightBytes) {
        RATIOS.forEach((name, figure) -> {
            if (figures.containsKey(figure)) {
                figures.put(name, Figure.measured(Figure.RATIO, ratios(variant, figure)));
            }
        });
        figures.put(
                "weights_smaller",
                Figure.of(Figure.RATIO, Kind.COUNTED, (double) weightBytes.getFirst() / weightBytes.get(variant)));
        Long first = memory.get(0);
        Long own = memory.get(variant);
        if (first != null && own != null) {
            figures.put("memory_smaller", Figure.of(Figure.RATIO, Kind.MEASURED, (double) first / own));
        }
    }

    private List<Double> values(int variant, String name) {
        return samples.get(variant).stream()
                .map(figures -> Objects.requireNonNull(figures.get(name), name))
                .toList();
    }

    /** Within each round. */
    private List<Double> ratios(int variant, String name) {
        List<Double> own = values(variant, name);
        List<Double> first = values(0, name);
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
            ratios.add(name.endsWith("_ms") ? first.get(i) / own.get(i) : own.get(i) / first.get(i));
        }
        return ratios;
    }

    private static String unit(String name) {
        if (name.endsWith("_ms")) {
            return "ms";
        }
        return switch (name) {
            case "duration" -> "s";
            case "completed" -> "requests";
            case "request_throughput" -> "requests/s";
            case "total_input_tokens", "total_output_tokens" -> "tokens";
            case "energy", "energy_per_output_token" -> "J";
            default -> "tokens/s";
        };
    }
}
