package dev.obr.bench.e2e;

import dev.obr.bench.machine.EnergyMeter;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.bench.machine.PeakMemory;
import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.WeightSummary;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Measures variants of one model in turns, case by case: A B C, C B A, A B C ..., so that a machine that slows down favours nobody, and ratios are taken within a round.
 *
 * <p>Peak memory is measured at the end, with one variant open at a time.
 *
 * @param variants the first is what the others are compared with
 * @param options how all run; the context is set to the longest case's
 * @param warmUp that each variant runs a case before it counts, one run at least: Java compiles meanwhile
 * @param rounds that count
 * @param requests that each client sends in a run
 * @param noise told when nothing runs
 * @param progress is told what comes next
 */
public record ServingBench(
        List<Variant> variants,
        RuntimeOptions options,
        Duration warmUp,
        int rounds,
        int requests,
        NoiseMeter noise,
        Consumer<String> progress) {
    private static final long SEED = 42;

    /**
     * What was measured.
     *
     * @param device that computed
     * @param notes on how it was measured and what could not be
     */
    public record Result(String device, List<ResultRow> rows, List<String> notes) {}

    public ServingBench {
        variants = List.copyOf(variants);
    }

    /**
     * Measures all cases.
     *
     * @throws ObrException if the variants are of different shapes, or a case is longer than their context
     */
    public Result run(List<ServingCase> cases) {
        int longest = cases.stream().mapToInt(ServingCase::length).max().orElseThrow();
        List<LanguageModel> models = new ArrayList<>();
        List<Long> weightBytes = new ArrayList<>();
        List<ServingRows> tables = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        String device;
        try {
            for (Variant variant : variants) {
                Model model = variant.model().get();
                weightBytes.add(WeightSummary.of(model).bytes());
                models.add(LanguageModel.open(model.endless(), options.withContextLength(longest)));
                checkShape(variant, models);
                notes.add(variant.name() + ": " + model.name() + ", activations of "
                        + models.getLast().activationBits() + " bits, cache "
                        + models.getLast().kv().label() + ".");
            }
            device = models.getFirst().device();
            ServingRun run = new ServingRun(requests, new SplittableRandom(SEED));
            EnergyMeter energy = energy(device, notes);
            for (ServingCase test : cases) {
                progress.accept(test.key().entrySet().stream()
                        .map(part -> part.getKey() + " " + part.getValue())
                        .collect(Collectors.joining(", ")));
                tables.add(measure(test, models, run, energy));
            }
        } finally {
            models.forEach(LanguageModel::close);
        }
        measureMemory(tables, longest, notes);
        List<ResultRow> rows = new ArrayList<>();
        tables.forEach(table -> rows.addAll(table.rows(weightBytes)));
        return new Result(device, rows, notes);
    }

    private void checkShape(Variant variant, List<LanguageModel> models) {
        ModelConfig first = models.getFirst().config();
        ModelConfig other = models.getLast().config();
        if (first.hiddenSize() != other.hiddenSize()
                || first.layers() != other.layers()
                || first.vocabularySize() != other.vocabularySize()) {
            throw new ObrException("%s is of another shape (%s) than %s (%s): compare variants of one model"
                    .formatted(variant.name(), shape(other), variants.getFirst().name(), shape(first)));
        }
    }

    private static String shape(ModelConfig config) {
        return config.layers() + " layers of " + config.hiddenSize() + ", " + config.vocabularySize() + " tokens";
    }

    private static @Nullable EnergyMeter energy(String device, List<String> notes) {
        try {
            EnergyMeter meter = EnergyMeter.of(device);
            notes.add("Energy: " + meter.counted() + ", whatever else runs there included.");
            return meter;
        } catch (ObrException unknown) {
            notes.add("Energy was not measured: " + unknown.getMessage() + ".");
            return null;
        }
    }

    private ServingRows measure(
            ServingCase test, List<LanguageModel> models, ServingRun run, @Nullable EnergyMeter energy) {
        for (LanguageModel model : models) {
            long start = System.nanoTime();
            do {
                run.figures(model, test);
            } while (System.nanoTime() - start < warmUp.toNanos());
        }
        ServingRows table =
                new ServingRows(test, variants.stream().map(Variant::name).toList());
        for (int round = 0; round < rounds; round++) {
            for (int turn = 0; turn < models.size(); turn++) {
                int i = round % 2 == 0 ? turn : models.size() - 1 - turn;
                table.add(i, sample(models.get(i), test, run, energy));
                noise.sample();
            }
        }
        return table;
    }

    private static Map<String, Double> sample(
            LanguageModel model, ServingCase test, ServingRun run, @Nullable EnergyMeter energy) {
        if (energy == null) {
            return run.figures(model, test);
        }
        double before = energy.joules();
        Map<String, Double> figures = run.figures(model, test);
        double joules = energy.joules() - before;
        figures.put("energy", joules);
        figures.put(
                "energy_per_output_token",
                joules / ((double) test.generatedTokens() * test.concurrency() * run.requests()));
        return figures;
    }

    /** Of the case that keeps most tokens: what a variant takes when it is the only one. */
    private void measureMemory(List<ServingRows> tables, int longest, List<String> notes) {
        ServingRows largest = tables.getFirst();
        for (ServingRows table : tables) {
            largest = table.test().kept() > largest.test().kept() ? table : largest;
        }
        for (int i = 0; i < variants.size(); i++) {
            progress.accept("memory of " + variants.get(i).name());
            System.gc(); // gives what the last variant had back to the system
            if (!PeakMemory.reset()) {
                notes.add("Peak memory was not measured: this system does not let a process ask for it anew.");
                return;
            }
            try (LanguageModel model =
                    LanguageModel.open(variants.get(i).model().get().endless(), options.withContextLength(longest))) {
                new ServingRun(1, new SplittableRandom(SEED)).figures(model, largest.test());
                OptionalLong peak = PeakMemory.bytes();
                if (peak.isPresent()) {
                    largest.memory(i, peak.getAsLong());
                }
            }
        }
        notes.add(
                "Peak memory is the whole process's, Java and mapped files included, with one variant open, in the case that keeps most tokens"
                        + (tables.size() > 1 ? "." : ": this one."));
    }
}
