package dev.obr.bench.quality;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rows of suite {@code quality} as a Markdown table: a line for each compressed model, with columns for each precision; of a single model, a line for each precision. */
public final class QualityTable {
    private static final String ORIGINAL = "original";
    private static final String PRECISION = "precision";
    private static final double SMALL = 0.01; // that four decimals are too few for

    /** A figure's column: its title, and how many decimals it is shown with. */
    private record Column(String figure, String title, int decimals, double factor) {}

    /** Figures that do not depend on the precision, before and after those that do. */
    private static final List<Column> BEFORE =
            List.of(new Column("bits", "bits", 3, 1), new Column("bytes", "MB", 1, 1e-6));

    private static final List<Column> EACH = List.of(
            new Column("perplexity", "ppl", 2, 1),
            new Column("kld", "KLD", 4, 1),
            new Column("zero_shot", "zero-shot %", 1, 100),
            new Column("tokens_per_second", "tokens/s", 1, 1));

    private static final List<Column> AFTER = List.of(new Column("compress_time", "compress s", 0, 1));

    private final Map<Map<String, String>, Map<String, ResultRow>> models = new LinkedHashMap<>();
    private final Set<String> precisions = new LinkedHashSet<>();
    private final Set<String> keys = new LinkedHashSet<>();

    private QualityTable(ResultFile results) {
        List<ResultRow> rows = results.rows().stream()
                .filter(row -> !ORIGINAL.equals(row.key().get("method")))
                .toList();
        boolean single = rows.stream().map(QualityTable::model).distinct().count() == 1;
        for (ResultRow row : rows) {
            String precision = single ? "" : row.key().getOrDefault(PRECISION, "");
            Map<String, String> model = single ? row.key() : model(row);
            keys.addAll(model.keySet());
            precisions.add(precision);
            models.computeIfAbsent(model, same -> new LinkedHashMap<>()).put(precision, row);
        }
        String always = single ? PRECISION : "method";
        keys.removeIf(key -> !key.equals(always)
                && models.keySet().stream()
                                .map(model -> model.get(key))
                                .distinct()
                                .count()
                        < 2);
    }

    private static Map<String, String> model(ResultRow row) {
        Map<String, String> model = new LinkedHashMap<>(row.key());
        model.remove(PRECISION);
        return model;
    }

    /** What the original has, and the table. */
    public static String of(ResultFile results) {
        StringBuilder text = new StringBuilder();
        results.rows().stream()
                .filter(row -> ORIGINAL.equals(row.key().get("method")))
                .findFirst()
                .ifPresent(row -> text.append("The original: **")
                        .append(shown(row.figures().get("perplexity"), EACH.getFirst()))
                        .append("**.\n\n"));
        return text.append(new QualityTable(results).write()).toString();
    }

    private String write() {
        List<String> titles = new ArrayList<>(keys);
        List<List<String>> lines = new ArrayList<>();
        models.forEach((model, rows) -> {
            List<String> line = new ArrayList<>();
            keys.forEach(key -> line.add(model.getOrDefault(key, "-")));
            lines.add(line);
        });
        BEFORE.forEach(column -> any(column, titles, lines));
        for (String precision : precisions) {
            for (Column column : EACH) {
                List<String> cells = models.values().stream()
                        .map(rows -> shown(rows.get(precision), column))
                        .toList();
                add((precision + " " + column.title()).strip(), cells, titles, lines);
            }
        }
        AFTER.forEach(column -> any(column, titles, lines));
        StringBuilder table = new StringBuilder();
        table.append("| ").append(String.join(" | ", titles)).append(" |\n");
        table.append("|---".repeat(keys.size()))
                .append("|--:".repeat(titles.size() - keys.size()))
                .append("|\n");
        lines.forEach(
                line -> table.append("| ").append(String.join(" | ", line)).append(" |\n"));
        return table.toString();
    }

    /** A figure that is the same in all precisions. */
    private void any(Column column, List<String> titles, List<List<String>> lines) {
        List<String> cells = models.values().stream()
                .map(rows -> shown(rows.values().iterator().next(), column))
                .toList();
        add(column.title(), cells, titles, lines);
    }

    /** Columns without a number are left out. */
    private static void add(String title, List<String> cells, List<String> titles, List<List<String>> lines) {
        if (cells.stream().anyMatch(cell -> !cell.equals("-"))) {
            titles.add(title);
            for (int i = 0; i < cells.size(); i++) {
                lines.get(i).add(cells.get(i));
            }
        }
    }

    private static String shown(@Nullable ResultRow row, Column column) {
        return row == null ? "-" : shown(row.figures().get(column.figure()), column);
    }

    private static String shown(@Nullable Figure figure, Column column) {
        if (figure == null) {
            return "-";
        }
        double value = figure.median() * column.factor();
        int decimals = value < SMALL && column.decimals() == 4 ? 5 : column.decimals();
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }
}
