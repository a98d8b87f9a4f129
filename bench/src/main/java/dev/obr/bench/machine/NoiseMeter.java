package dev.obr.bench.machine;

import dev.obr.bench.results.Figure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells whether a benchmark's times are to be trusted: what other programs took of the cores while it ran, and how evenly a fixed loop ran before, between and after what was measured.
 *
 * <pre>
 *   NoiseMeter meter = NoiseMeter.start();
 *   for each case: measure it; meter.sample();
 *   results.noise = meter.noise();
 * </pre>
 *
 * <p>Programs that the benchmark itself starts and waits for are not other programs.
 */
public final class NoiseMeter {
    /** Of all cores: what a machine's own services do not come to. */
    private static final double MOST_OF_OTHERS = 0.05;

    /** Between the quarters, as a part of the median: clocks alone come to less. */
    private static final double MOST_SPREAD = 0.05;

    private static final int FIRST_SAMPLES = 9;

    private final Supplier<Optional<CpuTimes>> times;
    private final DoubleSupplier loop;
    private final Optional<CpuTimes> start;
    private final List<Double> samples = new ArrayList<>();

    NoiseMeter(Supplier<Optional<CpuTimes>> times, DoubleSupplier loop) {
        this.times = times;
        this.loop = loop;
        this.start = times.get();
        for (int i = 0; i < FIRST_SAMPLES; i++) {
            sample();
        }
    }

    /** Begins; takes a tenth of a second. */
    public static NoiseMeter start() {
        return new NoiseMeter(() -> CpuTimes.read(Path.of("/proc")), new ReferenceLoop());
    }

    /** Runs the loop once more; to be called between measurements, while nothing of the benchmark runs. */
    public void sample() {
        samples.add(loop.getAsDouble());
    }

    /** Why times since the start are doubtful, as {@link dev.obr.bench.results.ResultFile#noise} says it; null where the machine was quiet. */
    public @Nullable String noise() {
        List<String> reasons = new ArrayList<>();
        double others = start.flatMap(from -> times.get().map(to -> to.othersSince(from)))
                .orElse(0.0);
        if (others > MOST_OF_OTHERS) {
            reasons.add(percent("other programs kept %.0f %% of the cores busy", others));
        }
        double spread = Figure.measured("s", samples).spread();
        if (spread > MOST_SPREAD) {
            reasons.add(percent("the times of a fixed loop spread by %.0f %%", spread));
        }
        return reasons.isEmpty() ? null : String.join("; ", reasons);
    }

    private static String percent(String sentence, double part) {
        return String.format(Locale.ROOT, sentence, 100 * part);
    }
}
