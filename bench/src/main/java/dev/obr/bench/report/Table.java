package dev.obr.bench.report;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rows of a file under common columns.
 *
 * @param keys names of the key's parts
 * @param scales names of the figures, each with how its column is shown
 * @param rows as they were
 */
record Table(List<String> keys, Map<String, Scale> scales, List<ResultRow> rows) {
    private static final int MOST = 12; // columns, of 100 pixels or so

    static Table of(ResultFile results) {
        Set<String> keys = new LinkedHashSet<>();
        Map<String, List<Figure>> figures = new LinkedHashMap<>();
        for (ResultRow row : results.rows()) {
            keys.addAll(row.key().keySet());
            row.figures()
                    .forEach((name, figure) -> figures.computeIfAbsent(name, same -> new ArrayList<>())
                            .add(figure));
        }
        Map<String, Scale> scales = new LinkedHashMap<>();
        figures.forEach((name, all) -> scales.put(
                name,
                Scale.of(
                        all.getFirst().unit(),
                        all.stream().mapToDouble(Figure::median).toArray())));
        return new Table(List.copyOf(keys), scales, results.rows());
    }

    /** The same rows in tables of no more than {@link #MOST} columns each, as many as a page has room for; the key stands in all of them. */
    List<Table> pages() {
        List<Table> pages = new ArrayList<>();
        Map<String, Scale> page = new LinkedHashMap<>();
        int room = Math.max(1, MOST - keys.size());
        for (Map.Entry<String, Scale> column : scales.entrySet()) {
            if (page.size() == room) {
                pages.add(new Table(keys, page, rows));
                page = new LinkedHashMap<>();
            }
            page.put(column.getKey(), column.getValue());
        }
        pages.add(new Table(keys, page, rows));
        return pages;
    }

    /** Names of the key's parts, then of the figures with their units. */
    List<String> titles() {
        List<String> titles = new ArrayList<>();
        keys.forEach(key -> titles.add(Label.words(key)));
        scales.forEach((name, scale) -> titles.add(Label.withUnit(name, scale)));
        return titles;
    }
}
