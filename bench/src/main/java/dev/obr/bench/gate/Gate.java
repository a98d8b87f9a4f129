package dev.obr.bench.gate;

import dev.obr.bench.gate.Change.Verdict;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares the ratios that two runs of one benchmark measured. Times are never compared: another day's are of another machine, whatever its name. A ratio was taken within a run, where both of its
 * sides met the same machine, and more is better.
 *
 * <pre>
 *   regressed   after &lt; before * (1 - threshold), and the upper quarter after is below the lower quarter before
 *   improved    after &gt; before * (1 + threshold)
 * </pre>
 *
 * @param threshold as a part, e.g. 0.1
 */
public record Gate(double threshold) {
    public Gate {
        if (!(threshold > 0 && threshold < 1)) {
            throw new IllegalArgumentException("a threshold of " + threshold);
        }
    }

    /** Which ratio of which row. */
    private record Place(Map<String, String> row, String figure) {}

    /**
     * All ratios of both files, those of the older in its order.
     *
     * @throws ObrException if the files are of different benchmarks, or have no ratio in common
     */
    public List<Change> compare(ResultFile before, ResultFile after) {
        if (!before.suite().equals(after.suite())) {
            throw new ObrException("the older results are of the suite " + before.suite() + ", the newer of "
                    + after.suite() + ": compare two runs of one suite");
        }
        Map<Place, Figure> older = ratios(before);
        Map<Place, Figure> newer = ratios(after);
        if (older.keySet().stream().noneMatch(newer::containsKey)) {
            throw new ObrException("the two results have no measured ratio in common (" + older.size()
                    + " in the older, " + newer.size() + " in the newer): compare runs of the same cases");
        }
        List<Change> changes = new ArrayList<>();
        older.forEach((place, figure) -> changes.add(change(place, figure, newer.get(place))));
        newer.forEach((place, figure) -> {
            if (!older.containsKey(place)) {
                changes.add(new Change(place.row, place.figure, null, figure, Verdict.ADDED));
            }
        });
        return changes;
    }

    private static Map<Place, Figure> ratios(ResultFile results) {
        Map<Place, Figure> ratios = new LinkedHashMap<>();
        for (ResultRow row : results.rows()) {
            row.figures().forEach((name, figure) -> {
                if (figure.ratio() && figure.kind() == Kind.MEASURED) {
                    ratios.put(new Place(row.key(), name), figure);
                }
            });
        }
        return ratios;
    }

    private Change change(Place place, Figure before, @Nullable Figure after) {
        return new Change(place.row, place.figure, before, after, verdict(before, after));
    }

    private Verdict verdict(Figure before, @Nullable Figure after) {
        if (after == null) {
            return Verdict.MISSING;
        }
        if (after.median() > before.median() * (1 + threshold)) {
            return Verdict.IMPROVED;
        }
        if (after.median() >= before.median() * (1 - threshold)) {
            return Verdict.ALIKE;
        }
        return after.high() < before.low() ? Verdict.REGRESSED : Verdict.UNCERTAIN;
    }
}
