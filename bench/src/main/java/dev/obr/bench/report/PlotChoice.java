package dev.obr.bench.report;

import dev.obr.bench.report.Plot.Axis;
import dev.obr.bench.report.Plot.Look;
import dev.obr.bench.report.Plot.Point;
import dev.obr.bench.report.Plot.Series;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * A picture that is drawn wherever a file has what it takes: one for each case, with a series for each competitor.
 *
 * @param title what is seen
 * @param x key of numbers, or figure
 * @param y figure
 * @param together keys that differ within one picture, beside the competitor and x
 * @param joined whether points that follow each other along x are joined
 * @param logX whether x is logarithmic, where it has no zero; y is wherever it spans more than {@link #WIDE}
 */
record PlotChoice(String title, String x, String y, List<String> together, boolean joined, boolean logX) {
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
            against("Speed against size", "bytes", "tokens_per_second"),
            new PlotChoice(
                    "Cost against size", "bytes", "compress_time", List.of("pattern", "precision"), false, false),
            new PlotChoice("Cost against size", "parameters", "compress_time", List.of("model"), true, true));

    /** Ratio of the largest to the smallest number from which on an axis is logarithmic. */
    private static final double WIDE = 10;

    /** Series without two different points along x tell nothing of it. */
    private static final int FEWEST = 2;

    private static PlotChoice over(String title, String x, String y) {
        return new PlotChoice(title + " against " + Label.words(x), x, y, List.of(), true, true);
    }

    private static PlotChoice against(String title, String x, String y) {
        return new PlotChoice(title, x, y, List.of("pattern"), false, false);
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
        List<ResultRow> levels =
                rows.stream().filter(row -> level(row, competitors)).toList();
        Map<Map<String, String>, List<ResultRow>> cases = rows.stream()
                .filter(row -> !level(row, competitors))
                .collect(
                        Collectors.groupingBy(row -> panel(row, competitors), LinkedHashMap::new, Collectors.toList()));
        cases.values()
                .removeIf(own ->
                        own.stream().map(row -> x(row).getAsDouble()).distinct().count() < FEWEST);
        if (cases.isEmpty()) {
            return List.of();
        }
        Set<String> fixed = fixed(cases.keySet());
        Scale xScale = Scale.of(
                xUnit(rows),
                rows.stream().mapToDouble(row -> x(row).getAsDouble()).toArray());
        Scale yScale = Scale.of(
                figure(rows.getFirst()).unit(),
                rows.stream().mapToDouble(this::y).toArray());
        return cases.entrySet().stream()
                .map(entry -> {
                    Map<String, String> changing = new LinkedHashMap<>(entry.getKey());
                    changing.keySet().removeAll(fixed);
                    List<Series> series = series(entry.getValue(), levels, competitors, xScale, yScale);
                    return plot(Label.key(changing), series, xScale, yScale);
                })
                .toList();
    }

    private boolean level(ResultRow row, Competitors competitors) {
        return !joined && competitors.name(row).equals(Competitors.ORIGINAL);
    }

    /** The case that a row is drawn for. */
    private Map<String, String> panel(ResultRow row, Competitors competitors) {
        Map<String, String> rest = competitors.rest(row, x);
        together.forEach(rest::remove);
        return rest;
    }

    /** Parts of the key that are the same in all cases, so that no title need say them. */
    private static Set<String> fixed(Set<Map<String, String>> cases) {
        Set<String> fixed = new LinkedHashSet<>();
        cases.forEach(key -> key.forEach((name, value) -> {
            if (cases.stream().allMatch(other -> value.equals(other.get(name)))) {
                fixed.add(name);
            }
        }));
        return fixed;
    }

    private List<Series> series(
            List<ResultRow> rows, List<ResultRow> levels, Competitors competitors, Scale xScale, Scale yScale) {
        Map<String, List<ResultRow>> byName = rows.stream()
                .collect(Collectors.groupingBy(competitors::name, LinkedHashMap::new, Collectors.toList()));
        List<Series> series = new ArrayList<>();
        byName.forEach((name, own) -> {
            List<Point> points = own.stream()
                    .map(row -> new Point(x(row).getAsDouble() / xScale.factor(), y(row) / yScale.factor()))
                    .distinct()
                    .sorted(Comparator.comparingDouble(Point::x))
                    .toList();
            boolean modelled = own.stream().allMatch(row -> figure(row).kind() == Figure.Kind.MODELLED);
            series.add(new Series(name, name, !joined ? Look.DOTS : modelled ? Look.MODELLED_LINE : Look.LINE, points));
        });
        DoubleSummaryStatistics xs = range(series, Point::x);
        levels.stream().findFirst().ifPresent(row -> {
            double level = y(row) / yScale.factor();
            List<Point> ends = List.of(new Point(xs.getMin(), level), new Point(xs.getMax(), level));
            series.add(new Series(
                    Competitors.ORIGINAL + " " + yScale.text(y(row)), Competitors.ORIGINAL, Look.LEVEL, ends));
        });
        return series;
    }

    private Plot plot(String which, List<Series> series, Scale xScale, Scale yScale) {
        DoubleSummaryStatistics xs = range(series, Point::x);
        DoubleSummaryStatistics ys = range(series, Point::y);
        boolean modelled = series.stream().allMatch(one -> one.look() == Look.MODELLED_LINE);
        List<Series> named = series.stream()
                .map(one -> one.look() == Look.MODELLED_LINE && !modelled ? one.named(one.name() + ", modelled") : one)
                .toList();
        return new Plot(
                which.isEmpty() ? title : title + ": " + which,
                new Axis(Label.withUnit(x, xScale), logX && xs.getMin() > 0),
                new Axis(
                        Label.withUnit(y, yScale) + (modelled ? ", modelled" : ""),
                        ys.getMin() > 0 && ys.getMax() / ys.getMin() > WIDE),
                named,
                false);
    }

    private static DoubleSummaryStatistics range(List<Series> series, ToDoubleFunction<Point> value) {
        return series.stream()
                .flatMap(one -> one.points().stream())
                .mapToDouble(value)
                .summaryStatistics();
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

    private String xUnit(List<ResultRow> rows) {
        return rows.stream()
                .flatMap(row -> row.figures().entrySet().stream())
                .filter(entry -> entry.getKey().equals(x))
                .map(entry -> entry.getValue().unit())
                .findFirst()
                .orElse("");
    }
}
