package dev.obr.bench.report;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What the ratios of a file come to for each competitor: {@code speedup: 4:8p 4.54x (2.1x to 5.9x), 2:4 ..}. */
final class Ratios {
    /** What others say already: requests that take less time are more a second. */
    private static final Set<String> TABLE_ONLY = Set.of("ttft_speedup", "tpot_speedup", "e2el_speedup");

    private Ratios() {}

    static List<String> sentences(ResultFile results) {
        List<String> names = results.rows().stream()
                .flatMap(row -> row.figures().entrySet().stream())
                .filter(figure -> figure.getValue().ratio())
                .map(Map.Entry::getKey)
                .filter(name -> !TABLE_ONLY.contains(name))
                .distinct()
                .toList();
        return Competitors.of(results).stream()
                .flatMap(competitors -> names.stream().map(name -> sentence(results, competitors, name)))
                .toList();
    }

    private static String sentence(ResultFile results, Competitors competitors, String name) {
        Map<String, List<Figure>> byName = new LinkedHashMap<>();
        competitors.names(results).forEach(competitor -> {
            List<Figure> own = results.rows().stream()
                    .filter(row -> competitors.name(row).equals(competitor))
                    .flatMap(row -> row.figures().entrySet().stream())
                    .filter(figure -> figure.getKey().equals(name))
                    .map(Map.Entry::getValue)
                    .toList();
            if (!own.isEmpty()) {
                byName.put(competitor, own);
            }
        });
        boolean modelled = byName.values().stream()
                .flatMap(List::stream)
                .allMatch(figure -> figure.kind() == Figure.Kind.MODELLED);
        boolean several = byName.values().stream().anyMatch(figures -> figures.size() > 1);
        return byName.entrySet().stream()
                .sorted(Comparator.comparingDouble(entry -> -median(entry.getValue())))
                .map(entry -> entry.getKey() + " " + range(entry.getValue()))
                .collect(Collectors.joining(
                        "; ",
                        title(name) + (modelled ? " (modelled)" : "") + (several ? ", medians of the cases: " : ": "),
                        "."));
    }

    private static String range(List<Figure> figures) {
        DoubleSummaryStatistics values =
                figures.stream().mapToDouble(Figure::median).summaryStatistics();
        Scale ratio = Scale.of(Figure.RATIO);
        String least = ratio.withUnit(values.getMin());
        String most = ratio.withUnit(values.getMax());
        return ratio.withUnit(median(figures)) + (least.equals(most) ? "" : " (" + least + " to " + most + ")");
    }

    private static double median(List<Figure> figures) {
        return Figure.measured(
                        Figure.RATIO, figures.stream().map(Figure::median).toList())
                .median();
    }

    /** {@code / F16} is how many times as fast as that one is. */
    private static String title(String name) {
        String words = name.startsWith("/ ") ? "times as fast as " + name.substring(2) : Label.words(name);
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
    }
}
