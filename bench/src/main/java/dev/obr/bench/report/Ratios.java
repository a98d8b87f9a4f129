package dev.obr.bench.report;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the ratios of a file come to for each competitor: {@code speedup: 4:8p 4.54x (2.1x to 5.9x), 2:4 ..}. */
final class Ratios {
    private Ratios() {}

    static List<String> sentences(ResultFile results) {
        List<String> names = results.rows().stream()
                .flatMap(row -> row.figures().entrySet().stream())
                .filter(figure -> figure.getValue().ratio())
                .map(Map.Entry::getKey)
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
                .map(entry -> entry.getKey() + " " + range(entry.getValue()))
                .collect(Collectors.joining(
                        "; ",
                        capital(Label.words(name)) + (modelled ? " (modelled" + (several ? ", median of the cases)" : ")") : several ? " (median of the cases)" : "") + ": ",
                        "."));
    }

    private static String range(List<Figure> figures) {
        double[] sorted = figures.stream().mapToDouble(Figure::median).sorted().toArray();
        double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        Scale ratio = Scale.of(Figure.RATIO, sorted);
        String least = ratio.withUnit(Arrays.stream(sorted).min().orElse(median));
        String most = ratio.withUnit(Arrays.stream(sorted).max().orElse(median));
        return ratio.withUnit(median) + (least.equals(most) ? "" : ", from " + least + " to " + most);
    }

    private static String capital(String words) {
        return words.substring(0, 1).toUpperCase(java.util.Locale.ROOT) + words.substring(1);
    }
}
