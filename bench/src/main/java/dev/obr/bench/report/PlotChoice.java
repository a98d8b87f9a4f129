package dev.obr.bench.report;

import dev.obr.bench.report.Plot.Axis;
import dev.obr.bench.report.Plot.Point;
import dev.obr.bench.report.Plot.Series;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A picture that is drawn wherever a file has what it takes: one for each case, with a series for each competitor.
 *
 * @param title what is seen
 * @param x key of numbers, or figure
 * @param y figure
 * @param joined whether points that follow each other along x are joined
 * @param logX whether x is logarithmic; y is wherever it spans more than {@link #WIDE}
 */
record PlotChoice(String title, String x, String y, boolean joined, boolean logX) {
    private static final List<PlotChoice> ALL = List.of(
            over("Runtime", "tokens", "time"),
            over("Runtime of the products", "tokens", "products_time"),
            over("Speed of the products", "tokens", "TOPS"),
            over("Memory of the weights", "tokens", "weight_bytes"),
            over("Throughput", "tokens", "tokens_per_second"),
            over("Prefill", "prompt", "prefill_throughput"),
            over("Time to the first token", "prompt", "mean_ttft_ms"),
            over("Decode", "context", "decode_throughput"),
            over("Memory", "context", "peak_memory"),
            over("Throughput", "concurrency", "output_throughput"),
            over("Time per token", "concurrency", "mean_tpot_ms"),
            against("Quality against bits", "bits", "perplexity"),
            against("Divergence against bits", "bits", "kld"),
            against("Zero-shot accuracy against bits", "bits", "zero_shot"),
            against("Quality against size", "bytes", "perplexity"),
            against("Speed against size", "bytes", "tokens_per_second"),
            against("Cost against size", "bytes", "compress_time"),
            new PlotChoice("Cost against size", "parameters", "compress_time", true, true));

    /** Ratio of the largest to the smallest number from which on an axis is logarithmic. */
    private static final double WIDE = 5;

    /** Series without two different points along x tell nothing of it. */
    private static final int FEWEST = 2;

    private static PlotChoice over(String title, String x, String y) {
        return new PlotChoice(title + " against " + Label.words(x), x, y, true, true);
    }

    private static PlotChoice against(String title, String x, String y) {
        return new PlotChoice(title, x, y, false, false);
    }

    /** Every picture that {@code results} have the numbers for. */
    static List<Plot> plots(ResultFile results) {
        List<Plot> plots = new ArrayList<>();
        Competitors.of(results)
                .ifPresent(competitors -> ALL.forEach(choice -> plots.addAll(choice.of(results, competitors))));
        plots.addAll(ModelledPlot.plots(results));
        return plots;
    }

    private List<Plot> of(ResultFile results, Competitors competitors) {
        List<ResultRow> rows = results.rows().stream()
                .filter(row -> x(row).isPresent() && row.figures().containsKey(y))
                .toList();
        boolean ofKey = rows.stream().anyMatch(row -> row.key().containsKey(x));
        if (rows.stream().map(row -> x(row).getAsDouble()).distinct().count() < FEWEST) {
            return List.of();
        }
        Set<String> fixed = new LinkedHashSet<>();
        Map<Map<String, String>, List<ResultRow>> cases = new LinkedHashMap<>();
        rows.forEach(row -> cases.computeIfAbsent(panel(row, competitors, ofKey), key -> new ArrayList<>())
                .add(row));
        cases.keySet().forEach(key -> key.forEach((name, value) -> {
            if (cases.keySet().stream().allMatch(other -> value.equals(other.get(name)))) {
                fixed.add(name);
            }
        }));
        Scale yScale = Scale.of(unit(rows), rows.stream().mapToDouble(this::y).toArray());
        Scale xScale = ofKey
                ? Scale.of("")
                : Scale.of(xUnit(rows), rows.stream().mapToDouble(row -> x(row).getAsDouble()).toArray());
        return cases.entrySet().stream()
                .map(entry -> {
                    Map<String, String> changing = new LinkedHashMap<>(entry.getKey());
                    changing.keySet().removeAll(fixed);
                    return plot(Label.key(changing), entry.getValue(), competitors, xScale, yScale);
                })
                .toList();
    }

    /** The case that a row is drawn for. Methods of compression are compared across patterns, which differ in their bits. */
    private Map<String, String> panel(ResultRow row, Competitors competitors, boolean ofKey) {
        Map<String, String> rest = competitors.rest(row, x);
        if (!ofKey) {
            rest.remove("pattern");
        }
        return rest;
    }

    private Plot plot(String which, List<ResultRow> rows, Competitors competitors, Scale xScale, Scale yScale) {
        Map<String, List<ResultRow>> bySeries = rows.stream()
                .collect(Collectors.groupingBy(competitors::name, LinkedHashMap::new, Collectors.toList()));
        List<Series> series = new ArrayList<>();
        bySeries.forEach((name, own) -> {
            boolean modelled = own.stream().allMatch(row -> figure(row).kind() == Figure.Kind.MODELLED);
            List<Point> points = own.stream()
                    .map(row -> new Point(x(row).getAsDouble() / xScale.factor(), y(row) / yScale.factor()))
                    .sorted(Comparator.comparingDouble(Point::x))
                    .toList();
            series.add(new Series(name + (modelled ? ", modelled" : ""), name, joined, modelled, points));
        });
        return new Plot(
                which.isEmpty() ? title : title + ": " + which,
                new Axis(Label.withUnit(x, xScale), logX),
                new Axis(Label.withUnit(y, yScale), wide(rows)),
                series,
                false);
    }

    private boolean wide(List<ResultRow> rows) {
        double[] values = rows.stream().mapToDouble(this::y).sorted().toArray();
        return values[0] > 0 && values[values.length - 1] / values[0] > WIDE;
    }

    private OptionalDouble x(ResultRow row) {
        Figure figure = row.figures().get(x);
        if (figure != null) {
            return OptionalDouble.of(figure.median());
        }
        try {
            String text = row.key().get(x);
            return text == null ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            return OptionalDouble.empty();
        }
    }

    private double y(ResultRow row) {
        return figure(row).median();
    }

    private Figure figure(ResultRow row) {
        Figure figure = row.figures().get(y);
        if (figure == null) {
            throw new IllegalArgumentException("no " + y + " in " + row.key());
        }
        return figure;
    }

    private String unit(List<ResultRow> rows) {
        return figure(rows.getFirst()).unit();
    }

    private String xUnit(List<ResultRow> rows) {
        return rows.stream()
                .flatMap(row -> row.figures().entrySet().stream())
                .filter(entry -> entry.getKey().equals(x))
                .map(entry -> entry.getValue().unit())
                .findFirst()
                .orElse("");
    }
}
