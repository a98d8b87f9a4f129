package dev.obr.bench.report;

import dev.obr.bench.report.Plot.Axis;
import dev.obr.bench.report.Plot.Look;
import dev.obr.bench.report.Plot.Point;
import dev.obr.bench.report.Plot.Series;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How good the model is: rows that hold a modelled number and a measured or published one of the same unit, one over the other. */
final class ModelledPlot {
    private ModelledPlot() {}

    /** Both in the unit of the figures. */
    private record Pair(String competitor, Figure.Kind truth, String unit, double real, double modelled) {}

    static List<Plot> plots(ResultFile results) {
        Map<Figure.Kind, List<Pair>> pairs = new LinkedHashMap<>();
        Competitors.of(results)
                .ifPresent(competitors -> results.rows()
                        .forEach(row -> pair(row, competitors)
                                .ifPresent(pair -> pairs.computeIfAbsent(pair.truth(), kind -> new ArrayList<>())
                                        .add(pair))));
        return pairs.entrySet().stream()
                .map(entry -> plot(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static Optional<Pair> pair(ResultRow row, Competitors competitors) {
        for (Figure modelled : row.figures().values()) {
            if (modelled.kind() != Figure.Kind.MODELLED || modelled.ratio()) {
                continue;
            }
            for (Figure.Kind kind : List.of(Figure.Kind.MEASURED, Figure.Kind.PUBLISHED)) {
                for (Figure real : row.figures().values()) {
                    if (real.kind() == kind
                            && real.unit().equals(modelled.unit())
                            && Math.min(real.median(), modelled.median()) > 0) {
                        return Optional.of(
                                new Pair(competitors.name(row), kind, real.unit(), real.median(), modelled.median()));
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static Plot plot(Figure.Kind truth, List<Pair> pairs) {
        String word = truth == Figure.Kind.MEASURED ? "measured" : "published";
        Scale scale = Scale.of(
                pairs.getFirst().unit(), pairs.stream().mapToDouble(Pair::real).toArray());
        Map<String, List<Point>> points = new LinkedHashMap<>();
        pairs.forEach(pair -> points.computeIfAbsent(pair.competitor(), name -> new ArrayList<>())
                .add(new Point(pair.real() / scale.factor(), pair.modelled() / scale.factor())));
        return new Plot(
                "Modelled against " + word,
                new Axis(Label.withUnit(word, scale), true),
                new Axis(Label.withUnit("modelled", scale), true),
                points.entrySet().stream()
                        .map(entry -> new Series(entry.getKey(), entry.getKey(), Look.DOTS, entry.getValue()))
                        .toList(),
                true);
    }
}
