package dev.obr.bench.gpu;

import java.util.ArrayList;
import java.util.List;

/**
 * Measures variants in turns, A B C A B C ..: a clock that falls while a GPU grows warm falls for all of them.
 *
 * @param warmUpSeconds that the variants run before anything counts, each at least once: clocks rise and instructions come to their caches
 * @param repetitions that count, of each variant
 * @param <T> what the stopwatch can run
 */
public record Interleaved<T extends Repeated>(Stopwatch<T> stopwatch, double warmUpSeconds, int repetitions) {
    /** Rounds of warming up at most. */
    private static final int MOST_WARM_UP = 1000;

    /** A sample of each variant, in their order. */
    public List<Sample> measure(List<? extends T> variants) {
        double warm = 0;
        for (int round = 0; round == 0 || warm < warmUpSeconds && round < MOST_WARM_UP; round++) {
            for (T variant : variants) {
                warm += stopwatch.seconds(variant) * variant.turns();
            }
        }
        List<List<Double>> times = new ArrayList<>();
        variants.forEach(variant -> times.add(new ArrayList<>()));
        for (int repetition = 0; repetition < repetitions; repetition++) {
            for (int i = 0; i < variants.size(); i++) {
                times.get(i).add(stopwatch.seconds(variants.get(i)));
            }
        }
        return times.stream().map(Sample::new).toList();
    }
}
