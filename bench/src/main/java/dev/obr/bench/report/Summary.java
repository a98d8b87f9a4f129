package dev.obr.bench.report;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a run comes to, in words.
 *
 * @param what was compared
 * @param where, how often, and in which cases
 * @param findings who wins and by how much
 * @param doubt why its times are to be read with care, or empty
 */
record Summary(String what, String where, List<String> findings, String doubt) {
    static Summary of(ResultFile results) {
        List<String> findings = new ArrayList<>(Race.sentences(results));
        findings.addAll(Ratios.sentences(results));
        return new Summary(results.title(), where(results), findings, doubt(results));
    }

    /** Whether anything in it was measured. */
    static boolean measured(ResultFile results) {
        return results.rows().stream()
                .flatMap(row -> row.figures().values().stream())
                .anyMatch(figure -> figure.kind() == Figure.Kind.MEASURED);
    }

    private static String where(ResultFile results) {
        Set<Figure.Kind> kinds = EnumSet.noneOf(Figure.Kind.class);
        results.rows().forEach(row -> row.figures().values().forEach(figure -> kinds.add(figure.kind())));
        if (kinds.contains(Figure.Kind.MEASURED)) {
            return "Measured on " + Label.machine(results.machine()) + "; " + often(results) + cases(results)
                    + (kinds.contains(Figure.Kind.MODELLED) ? "; some numbers are modelled" : "") + ".";
        }
        return kinds.contains(Figure.Kind.MODELLED)
                ? "Modelled: nothing of this was measured."
                : "Counted or published: nothing of this was measured here.";
    }

    private static String often(ResultFile results) {
        IntSummaryStatistics counts = results.rows().stream()
                .flatMap(row -> row.figures().values().stream())
                .filter(figure -> figure.kind() == Figure.Kind.MEASURED)
                .collect(Collectors.summarizingInt(Figure::count));
        if (counts.getMax() == 1) {
            return "each number once";
        }
        return counts.getMin() == counts.getMax()
                ? "medians of " + counts.getMax() + " repetitions"
                : "medians of " + counts.getMin() + " to " + counts.getMax() + " repetitions";
    }

    /** What differs between the cases, such as "; tokens 1, 16, 256"; empty for a single case. */
    private static String cases(ResultFile results) {
        Map<String, Set<String>> values = new LinkedHashMap<>();
        Competitors.of(results)
                .ifPresent(competitors -> results.rows()
                        .forEach(row -> competitors
                                .rest(row)
                                .forEach((key, value) -> values.computeIfAbsent(key, same -> new LinkedHashSet<>())
                                        .add(value))));
        return values.entrySet().stream()
                .filter(key -> key.getValue().size() > 1)
                .map(key -> "; " + Label.words(key.getKey()) + " " + String.join(", ", key.getValue()))
                .collect(Collectors.joining());
    }

    private static String doubt(ResultFile results) {
        if (results.noise() != null) {
            return "Noisy: " + results.noise() + ".";
        }
        long figures =
                results.rows().stream().mapToLong(row -> row.figures().size()).sum();
        long noisy = results.rows().stream()
                .flatMap(row -> row.figures().values().stream())
                .filter(Label::noisy)
                .count();
        return noisy == 0 ? "" : String.format(Locale.ROOT, "%d of %d numbers spread widely (~).", noisy, figures);
    }
}
