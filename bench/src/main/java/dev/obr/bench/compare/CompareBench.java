package dev.obr.bench.compare;

import dev.obr.bench.compare.Contender.Rates;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Measures programs in turns: every second round runs backwards, so that a machine that slows down favours nobody. Ratios are taken within a round.
 *
 * @param contenders in the order of the table
 * @param bases names of those that ours are related to
 * @param rounds of all contenders
 * @param noise told when nothing runs
 * @param progress is told each turn's speeds
 */
public record CompareBench(
        List<Contender> contenders, List<String> bases, int rounds, NoiseMeter noise, Consumer<String> progress) {
    /** Of each row: tokens a second. */
    public static final String SPEED = "tokens_per_second";

    /** What was measured. */
    public record Result(List<ResultRow> rows, List<String> notes) {}

    public CompareBench {
        contenders = List.copyOf(contenders);
        bases = List.copyOf(bases);
    }

    /** Measures all rounds. A program that is neither ours nor related to and fails is left out of its round. */
    public Result run() {
        List<Map<String, Rates>> done = new ArrayList<>();
        Set<String> notes = new LinkedHashSet<>();
        for (int round = 0; round < rounds; round++) {
            Map<String, Rates> rates = new LinkedHashMap<>();
            for (Contender contender : round % 2 == 0 ? contenders : contenders.reversed()) {
                try {
                    Rates measured = contender.measure();
                    rates.put(contender.name(), measured);
                    notes.add(contender.name() + ": " + measured.by() + ".");
                    progress.accept("round " + (round + 1) + " of " + rounds + ": " + contender.name()
                            + words(measured.tokensPerSecond()));
                } catch (ObrException failure) {
                    if (contender.ours() || bases.contains(contender.name())) {
                        throw failure;
                    }
                    notes.add(contender.name() + " is left out of a round: " + failure.getMessage());
                    progress.accept(contender.name() + " is left out: " + failure.getMessage());
                }
                noise.sample();
            }
            done.add(rates);
        }
        return new Result(rows(done), List.copyOf(notes));
    }

    private static String words(Map<String, Double> rates) {
        return rates.entrySet().stream()
                .map(rate -> String.format(Locale.ROOT, ", %s %.1f", rate.getKey(), rate.getValue()))
                .collect(Collectors.joining());
    }

    private List<ResultRow> rows(List<Map<String, Rates>> done) {
        Set<String> tests = new LinkedHashSet<>();
        for (Contender contender : contenders) {
            for (Map<String, Rates> round : done) {
                Rates rates = round.get(contender.name());
                if (rates != null) {
                    tests.addAll(rates.tokensPerSecond().keySet());
                }
            }
        }
        List<ResultRow> rows = new ArrayList<>();
        for (String test : tests) {
            for (Contender contender : contenders) {
                Map<String, Figure> figures = figures(done, contender, test);
                if (!figures.isEmpty()) {
                    Map<String, String> key = new LinkedHashMap<>();
                    key.put("test", test);
                    key.put("model", contender.name());
                    rows.add(new ResultRow(key, figures));
                }
            }
        }
        return rows;
    }

    private Map<String, Figure> figures(List<Map<String, Rates>> done, Contender contender, String test) {
        Map<String, Figure> figures = new LinkedHashMap<>();
        List<Double> speeds = new ArrayList<>();
        Map<String, List<Double>> ratios = new LinkedHashMap<>();
        for (Map<String, Rates> round : done) {
            Double speed = speed(round, contender.name(), test);
            if (speed != null) {
                speeds.add(speed);
                for (String base : bases) {
                    Double other = speed(round, base, test);
                    if (contender.ours() && other != null && !base.equals(contender.name())) {
                        ratios.computeIfAbsent("/ " + base, any -> new ArrayList<>())
                                .add(speed / other);
                    }
                }
            }
        }
        if (!speeds.isEmpty()) {
            figures.put(SPEED, Figure.measured("tokens/s", speeds));
            ratios.forEach((name, values) -> figures.put(name, Figure.measured(Figure.RATIO, values)));
        }
        return figures;
    }

    private static @Nullable Double speed(Map<String, Rates> round, String contender, String test) {
        Rates rates = round.get(contender);
        return rates == null ? null : rates.tokensPerSecond().get(test);
    }
}
