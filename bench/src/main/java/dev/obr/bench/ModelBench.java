package dev.obr.bench;

import dev.obr.kernels.cpu.CpuInfo;
import dev.obr.models.Model;
import dev.obr.models.WeightSummary;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Measures how fast a model computes prompts (pp) and generates (tg), as llama-bench does: random tokens, no tokenizing, no sampling, one repetition to warm up and
 * more until some seconds have passed: the JIT compiler then has done its work, for which it takes cores from the model.
 *
 * <p>Each test starts from a context of its depth, which is computed before the clock starts.
 */
public final class ModelBench implements AutoCloseable {
    private static final long SEED = 42;

    private final String file;
    private final String type;
    private final WeightSummary weights;
    private final RuntimeOptions options;
    private final int threads;
    private final LanguageModel model;
    private final SplittableRandom random = new SplittableRandom(SEED);

    /**
     * @param opened closed with this
     * @param file how rows call the model
     * @param options its context length must hold the longest test
     */
    public ModelBench(Model opened, String file, RuntimeOptions options) {
        this.file = file;
        this.weights = WeightSummary.of(opened);
        this.type = type(opened, weights);
        this.options = options;
        this.threads =
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        this.model = LanguageModel.open(opened, options);
    }

    /** Most tokens of context that a test may need. */
    public int contextLength() {
        return model.contextLength();
    }

    /** What computes. */
    public LanguageModel model() {
        return model;
    }

    /** Runs {@code test} to warm up, once and as often as {@code warmUp} takes, then {@code repetitions} times on the clock. */
    public BenchRow run(BenchTest test, Duration warmUp, int repetitions) {
        Instant begin = Instant.now();
        List<Long> nanos = new ArrayList<>();
        try (Session session = model.newSession()) {
            if (test.depth() > 0) {
                session.append(tokens(test.depth()));
            }
            long start = System.nanoTime();
            do {
                once(session, test);
            } while (System.nanoTime() - start < warmUp.toNanos());
            for (int i = 0; i < repetitions; i++) {
                nanos.add(once(session, test));
            }
        }
        return new BenchRow(
                CpuInfo.read().name(),
                model.device().toUpperCase(Locale.ROOT) + " " + model.kernelsName(),
                file,
                type,
                weights.bytes(),
                weights.parameters(),
                threads,
                model.kv().label(),
                test.promptTokens() > 1 ? model.promptActivationBits() : model.activationBits(),
                test,
                begin,
                nanos);
    }

    private long once(Session session, BenchTest test) {
        session.truncate(test.depth());
        int[] prompt = tokens(test.promptTokens());
        int[] steps = tokens(test.generatedTokens());
        long start = System.nanoTime();
        if (prompt.length > 0) {
            session.append(prompt);
        }
        for (int token : steps) {
            session.append(token);
        }
        return System.nanoTime() - start;
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, model.config().vocabularySize()).toArray();
    }

    private static String type(Model model, WeightSummary weights) {
        double millions = weights.parameters() / 1e6;
        String size = millions < 1000
                ? String.format(Locale.ROOT, "%.0fM", millions)
                : String.format(Locale.ROOT, "%.1fB", millions / 1000);
        WeightSummary.Group most =
                Collections.max(weights.groups(), Comparator.comparingLong(WeightSummary.Group::parameters));
        return model.config().architecture() + " " + size + " " + most.format();
    }

    @Override
    public void close() {
        model.close();
    }
}
