package dev.obr.bench.roofline;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the model says, as rows of a result file: every number is marked as modelled, or as published by others. */
public final class RooflineResults {
    /** The suite of {@link #steps}. */
    public static final String SUITE = "roofline";

    /** The suite of {@link #compression}. */
    public static final String COMPRESSION_SUITE = "compress";

    private static final double HOUR = 3600;

    private RooflineResults() {}

    /** A row for each step, then one for each published figure. */
    public static List<ResultRow> steps(RooflineReport report) {
        List<ResultRow> rows = new ArrayList<>();
        for (ModelStep step : report.steps()) {
            rows.add(row(report, step));
        }
        for (PublishedFigures.Figure figure : report.published()) {
            Map<String, String> key = new LinkedHashMap<>();
            key.put("gpu", Gpu.A100.label());
            key.put("shape", "4096x4096, figure " + figure.source());
            key.put("tokens", Integer.toString(figure.tokens()));
            key.put("weights", figure.what());
            Map<String, Figure> figures = new LinkedHashMap<>();
            figures.put("published", Figure.of("s", Kind.PUBLISHED, figure.publishedMillis() / 1e3));
            figures.put(
                    "modelled", Figure.of("s", Kind.MODELLED, figure.modelled().seconds()));
            rows.add(new ResultRow(key, figures));
        }
        return rows;
    }

    private static ResultRow row(RooflineReport report, ModelStep step) {
        Map<String, String> key = new LinkedHashMap<>();
        key.put("gpu", step.gpu().label());
        key.put("shape", report.shape());
        key.put("tokens", Integer.toString(step.tokens()));
        key.put("weights", step.kernel().label());
        Map<String, Figure> figures = new LinkedHashMap<>();
        figures.put("products_time", modelled("s", step.linearSeconds()));
        figures.put("TOPS", modelled("TOPS", operations(step) / step.linearSeconds() / 1e12));
        figures.put(
                "products_speedup", modelled(Figure.RATIO, report.half(step).linearSeconds() / step.linearSeconds()));
        if (step.whole()) {
            figures.put("layer_time", modelled("s", step.layerSeconds()));
            figures.put("tokens_per_second", modelled("tokens/s", step.tokensPerSecond()));
        }
        return new ResultRow(key, figures);
    }

    private static double operations(ModelStep step) {
        return step.layer().stream()
                .mapToDouble(part -> part.times() * part.launch().operations())
                .sum();
    }

    /** What compressing a model costs. */
    public static List<ResultRow> compression() {
        List<ResultRow> rows = new ArrayList<>();
        for (CompressionTimes.Row row : CompressionTimes.all()) {
            Map<String, String> key = new LinkedHashMap<>();
            key.put("model", row.model());
            key.put("gpu", row.gpu());
            key.put("method", row.way());
            Map<String, Figure> figures = new LinkedHashMap<>();
            figures.put("parameters", Figure.of("", Kind.COUNTED, row.parameters()));
            figures.put("compress_time", modelled("s", HOUR * row.total()));
            figures.put("hessians_time", modelled("s", HOUR * row.hessians()));
            figures.put("masks_time", modelled("s", HOUR * row.masks()));
            figures.put("rows_time", modelled("s", HOUR * row.rows()));
            figures.put("codes_time", modelled("s", HOUR * row.codes()));
            figures.put("calibration_time", modelled("s", HOUR * row.calibration()));
            if (row.gpu().equals(Gpu.A100.name())) { // what the paper measured on
                figures.put("published", Figure.of("s", Kind.PUBLISHED, HOUR * row.published()));
            }
            rows.add(new ResultRow(key, figures));
        }
        return rows;
    }

    private static Figure modelled(String unit, double value) {
        return Figure.of(unit, Kind.MODELLED, value);
    }
}
