package dev.obr.bench.compare;

import dev.obr.bench.BenchRow;
import dev.obr.bench.BenchTest;
import dev.obr.bench.ModelBench;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.RuntimeOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * This program with a model, which is open while it is measured and not while others are.
 *
 * @param warmUp that each test runs before it counts
 */
public record OwnContender(String name, Path model, CompareTests tests, RuntimeOptions options, Duration warmUp)
        implements Contender {
    @Override
    public boolean ours() {
        return true;
    }

    @Override
    public Rates measure() {
        Map<String, Double> rates = new LinkedHashMap<>();
        try (ModelBench bench = new ModelBench(
                ModelLoader.open(model), model.toString(), options.withContextLength(tests.contextLength()))) {
            for (int length : tests.prompts()) {
                rates.put(
                        CompareTests.prompt(length),
                        run(bench, new BenchTest(length, 0, 0)).tokensPerSecond());
            }
            BenchRow generation = run(bench, new BenchTest(0, tests.generated(), 0));
            rates.put(CompareTests.GENERATION, generation.tokensPerSecond());
            return new Rates("OBR Runtime, " + generation.backend() + ", cache " + generation.kv(), rates);
        }
    }

    private BenchRow run(ModelBench bench, BenchTest test) {
        return bench.run(test, warmUp, 1);
    }
}
