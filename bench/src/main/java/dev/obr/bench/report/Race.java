package dev.obr.bench.report;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Who is best in a figure, case by case: rows whose keys differ in the competitor alone.
 *
 * @param figure its name
 * @param lowWins whether less is better
 */
record Race(String figure, boolean lowWins) {
    /** What summaries speak of, the most telling first. */
    private static final List<Race> KNOWN = List.of(
            high("decode_throughput"),
            high("prefill_throughput"),
            high("output_throughput"),
            low("mean_ttft_ms"),
            low("time"),
            low("products_time"),
            low("perplexity"),
            high("zero_shot"),
            high("tokens_per_second"),
            low("compress_time"));

    private static final int MOST_IN_A_SUMMARY = 3;
    private static final int MOST_NAMED = 4;

    /** One that wins. */
    private record Win(String name, double before, Figure.Kind kind) {}

    private static Race low(String figure) {
        return new Race(figure, true);
    }

    private static Race high(String figure) {
        return new Race(figure, false);
    }

    /** What {@code results} decide, as sentences; none where nobody competes. */
    static List<String> sentences(ResultFile results) {
        return Competitors.of(results).stream()
                .flatMap(competitors -> KNOWN.stream().flatMap(race -> race.sentence(results, competitors).stream()))
                .limit(MOST_IN_A_SUMMARY)
                .toList();
    }

    private List<String> sentence(ResultFile results, Competitors competitors) {
        Map<Map<String, String>, List<ResultRow>> cases = results.rows().stream()
                .filter(row -> row.figures().containsKey(figure)
                        && !competitors.name(row).equals(Competitors.ORIGINAL))
                .collect(Collectors.groupingBy(competitors::rest, LinkedHashMap::new, Collectors.toList()));
        List<Win> wins = cases.values().stream()
                .filter(rows -> rows.stream().map(competitors::name).distinct().count() > 1)
                .map(rows -> win(rows, competitors))
                .toList();
        if (wins.isEmpty()) {
            return List.of();
        }
        Map<String, List<Win>> byName =
                wins.stream().collect(Collectors.groupingBy(Win::name, LinkedHashMap::new, Collectors.toList()));
        List<Map.Entry<String, List<Win>>> ranked = new ArrayList<>(byName.entrySet());
        ranked.sort(Comparator.comparingInt(entry -> -entry.getValue().size()));
        String modelled = wins.stream().allMatch(win -> win.kind() == Figure.Kind.MODELLED) ? " (modelled)" : "";
        String named = ranked.stream()
                .limit(MOST_NAMED)
                .map(entry -> entry.getKey()
                        + (wins.size() == 1 ? "" : " in " + entry.getValue().size())
                        + ahead(entry.getValue()))
                .collect(Collectors.joining("; "));
        int others = ranked.size() - MOST_NAMED;
        return List.of((lowWins ? "Lowest " : "Highest ") + Label.words(figure) + modelled
                + (wins.size() == 1 ? ": " : " in " + wins.size() + " cases: ") + named
                + (others > 0 ? "; and " + others + " others" : "") + ".");
    }

    private Win win(List<ResultRow> rows, Competitors competitors) {
        Comparator<ResultRow> rising = Comparator.comparingDouble(this::value);
        List<ResultRow> ranked =
                rows.stream().sorted(lowWins ? rising : rising.reversed()).toList();
        ResultRow first = ranked.getFirst();
        double next = ranked.stream()
                .filter(row -> !competitors.name(row).equals(competitors.name(first)))
                .mapToDouble(this::value)
                .findFirst()
                .orElseThrow();
        double before = lowWins ? next / value(first) : value(first) / next;
        return new Win(
                competitors.name(first),
                before,
                Stream.of(first).map(this::of).findFirst().orElseThrow().kind());
    }

    /** By how much, where it can be told: {@code (1.10x to 1.45x before the next)}. */
    private static String ahead(List<Win> wins) {
        double least = wins.stream().mapToDouble(Win::before).min().orElse(1);
        double most = wins.stream().mapToDouble(Win::before).max().orElse(1);
        Scale ratio = Scale.of(Figure.RATIO);
        String from = ratio.withUnit(least);
        String to = ratio.withUnit(most);
        return " (" + (from.equals(to) ? from : from + " to " + to) + " before the next)";
    }

    private double value(ResultRow row) {
        return of(row).median();
    }

    private Figure of(ResultRow row) {
        Figure found = row.figures().get(figure);
        if (found == null) {
            throw new IllegalArgumentException("no " + figure + " in " + row.key());
        }
        return found;
    }
}
