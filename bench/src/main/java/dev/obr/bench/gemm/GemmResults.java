package dev.obr.bench.gemm;

import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.gpu.Published;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** What was measured, as rows of a result file and as lines of a Markdown table. */
public final class GemmResults {
    /** What stands above the lines. */
    public static final List<String> HEADER = List.of(
            "| shape       | tokens | weights               |  median ms | spread |    TOPS | x dense | weight MB | x smaller |",
            "| :---------- | -----: | :-------------------- | ---------: | -----: | ------: | ------: | --------: | --------: |");

    /** What the columns mean. */
    public static final String LEGEND =
            "Medians of repetitions in turns (A B C A B C), half of all times within the spread. TOPS count the operations of dense weights, 2 · tokens · features · columns, for sparse ones, too. "
                    + "x dense: how many times faster than the fastest dense product of floats; x smaller: than the weights as half floats. Weights are random and come from memory: copies take turns.";

    /** What {@code read_time} is, where a table has it. */
    public static final String READ_TIME =
            "read time, modelled: the weights' bytes at the speed at which memory was read right after; what one token is bound by.";

    /** The paper's time on an A100, where it has one. */
    private static final String PUBLISHED = "published_a100_time";

    private final List<ResultRow> rows = new ArrayList<>();

    /**
     * Adds what was measured of one shape with so many tokens; returns its lines of the table.
     *
     * @param bytesPerSecond at which memory is read; empty where that is no bound
     */
    public List<String> add(GemmShape shape, int tokens, List<ProductRow> measured, OptionalDouble bytesPerSecond) {
        ProductRow reference = measured.stream()
                .filter(ProductRow::reference)
                .min(Comparator.comparingDouble(row -> row.sample().median()))
                .orElseThrow();
        List<String> lines = new ArrayList<>();
        for (ProductRow row : measured) {
            Figure speedup = speedup(row, reference);
            Map<String, Figure> figures = figures(row, speedup);
            bytesPerSecond.ifPresent(
                    rate -> figures.put("read_time", Figure.of("s", Kind.MODELLED, row.weightBytes() / rate)));
            rows.add(new ResultRow(key(shape, tokens, row), figures));
            lines.add(line(shape, tokens, row, speedup));
        }
        return lines;
    }

    /** All of them. */
    public List<ResultRow> rows() {
        return List.copyOf(rows);
    }

    private static Map<String, String> key(GemmShape shape, int tokens, ProductRow row) {
        Map<String, String> key = new LinkedHashMap<>();
        key.put("shape", shape.label());
        key.put("tokens", Integer.toString(tokens));
        key.put("variant", row.name());
        return key;
    }

    /** Of neighbouring repetitions: what slows both down cancels. */
    private static Figure speedup(ProductRow row, ProductRow reference) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < row.sample().seconds().size(); i++) {
            ratios.add(
                    reference.sample().seconds().get(i) / row.sample().seconds().get(i));
        }
        return Figure.measured(Figure.RATIO, ratios);
    }

    private static Map<String, Figure> figures(ProductRow row, Figure speedup) {
        List<Double> seconds = row.sample().seconds();
        double operations = row.size().operations();
        Map<String, Figure> figures = new LinkedHashMap<>();
        figures.put("time", Figure.measured("s", seconds));
        figures.put(
                "TOPS",
                Figure.measured(
                        "TOPS", seconds.stream().map(s -> operations / s / 1e12).toList()));
        figures.put("weight_bytes", Figure.of("bytes", Kind.COUNTED, (double) row.weightBytes()));
        figures.put("speedup", speedup);
        figures.put("memory_ratio", Figure.of(Figure.RATIO, Kind.COUNTED, row.memoryRatio()));
        if (row.kernel() != null) {
            Published.seconds(row.size(), row.kernel())
                    .ifPresent(paper -> figures.put(PUBLISHED, Figure.of("s", Kind.PUBLISHED, paper)));
        }
        return figures;
    }

    private static String line(GemmShape shape, int tokens, ProductRow row, Figure speedup) {
        return String.format(
                Locale.ROOT,
                "| %-11s | %6d | %-21s | %10.3f | %5.1f%% | %7.3f | %7.2f | %9.2f | %9.2f |",
                shape.label(),
                tokens,
                row.name(),
                row.sample().median() * 1e3,
                row.sample().spread() * 100,
                row.tera(),
                speedup.median(),
                row.weightBytes() / 1e6,
                row.memoryRatio());
    }
}
