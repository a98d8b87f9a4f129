package dev.obr.bench.results;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Rows as a Markdown table: keys, then figures with their units in the head and the range between the quarters where there is one. */
public final class ResultTable {
    private ResultTable() {}

    /**
     * The table.
     *
     * @param figures to show, by name, in this order; those that no row has are left out
     */
    public static String markdown(List<ResultRow> rows, List<String> figures) {
        Set<String> keys = new LinkedHashSet<>();
        rows.forEach(row -> keys.addAll(row.key().keySet()));
        List<String> shown = figures.stream()
                .filter(name -> rows.stream().anyMatch(row -> row.figures().containsKey(name)))
                .toList();
        List<String> head = new ArrayList<>(keys);
        shown.forEach(name -> head.add(name + unit(rows, name)));
        StringBuilder text = new StringBuilder(line(head));
        text.append('|')
                .append("---|".repeat(keys.size()))
                .append("--:|".repeat(shown.size()))
                .append('\n');
        for (ResultRow row : rows) {
            List<String> cells = new ArrayList<>();
            keys.forEach(key -> cells.add(row.key().getOrDefault(key, "")));
            shown.forEach(name -> cells.add(cell(row.figures().get(name))));
            text.append(line(cells));
        }
        return text.toString();
    }

    private static String line(List<String> cells) {
        return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
    }

    /** Names that end in their unit, and ratios, say it themselves. */
    private static String unit(List<ResultRow> rows, String name) {
        String unit = rows.stream()
                .filter(row -> row.figures().containsKey(name))
                .map(row -> row.figures().get(name).unit())
                .findFirst()
                .orElse("");
        return unit.equals(Figure.RATIO) || name.endsWith("_" + unit) ? "" : " " + shortUnit(unit);
    }

    private static String shortUnit(String unit) {
        return unit.equals("bytes") ? "MiB" : unit;
    }

    private static String cell(@Nullable Figure figure) {
        if (figure == null) {
            return "";
        }
        double scale = figure.unit().equals("bytes") ? 0x1p20 : 1;
        String median = number(figure.median() / scale, figure);
        return figure.count() == 1
                ? median
                : median + " (" + number(figure.low() / scale, figure) + "-" + number(figure.high() / scale, figure)
                        + ")";
    }

    /** Ratios to two places, other numbers to one; small ones to three digits. */
    private static String number(double value, Figure figure) {
        String format = figure.ratio() || Math.abs(value) < 10 ? "%.2f" : "%.1f";
        return String.format(Locale.ROOT, format, value);
    }
}
