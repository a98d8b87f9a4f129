package dev.obr.cli;

import dev.obr.bench.e2e.ServingBench;
import dev.obr.bench.e2e.ServingCase;
import dev.obr.bench.e2e.Variant;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.kernels.ObrException;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.RuntimeOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench e2e}: whole requests, several at a time, on packed models beside the dense one. */
@Command(
        name = "e2e",
        description =
                "Measure requests from their sending to their last token, several at a time, on packed models beside the dense one: throughput, latencies by the names of vLLM's serving benchmark, memory, energy.",
        footer = {"", "Lists (16,32) and ranges (1-32*2) measure every combination."})
final class BenchE2eCommand implements Callable<Integer> {
    private static final int MOST_AT_A_TIME = 128;
    private static final int MOST_TOKENS = 1 << 20;
    private static final List<String> SHOWN = List.of(
            "prefill_throughput",
            "decode_throughput",
            "output_throughput",
            "mean_ttft_ms",
            "mean_tpot_ms",
            "p99_itl_ms",
            "mean_e2el_ms",
            "peak_memory",
            "energy_per_output_token",
            "prefill_speedup",
            "decode_speedup",
            "output_speedup",
            "memory_smaller");

    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final BenchModelOptions models = new BenchModelOptions();

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "128",
            description = "Tokens of each prompt. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList prompts;

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "32",
            description = "New tokens of each request, no fewer: no token ends a text. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList generated;

    @Option(
            names = {"-d", "--n-depth"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "0",
            description = "Tokens of context that all requests go on from. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList depths;

    @Option(
            names = {"-c", "--concurrency"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "1,4",
            description = "Clients: each sends its next request when the last has ended. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList concurrency;

    @Option(
            names = "--requests",
            paramLabel = "N",
            defaultValue = "1",
            description = "Requests of each client in a repetition. Default: ${DEFAULT-VALUE}.")
    private int requests;

    @Mixin
    private final ThreadsOption threads = new ThreadsOption();

    @Mixin
    private final PinOption pin = new PinOption();

    @Option(
            names = {"-r", "--repetitions"},
            paramLabel = "N",
            defaultValue = "5",
            description = "Repetitions of each case and variant, in turns. Default: ${DEFAULT-VALUE}.")
    private int repetitions;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "3",
            description =
                    "Seconds that each variant runs each case before it is measured, one run at least. Default: ${DEFAULT-VALUE}.")
    private int warmUp;

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Mixin
    private final KvOption kv = new KvOption();

    @Mixin
    private final BenchOutput output = new BenchOutput();

    BenchE2eCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        List<ServingCase> cases = cases();
        BenchRanges.require(spec, "--requests", requests, 1, MOST_TOKENS);
        BenchRanges.require(spec, "--repetitions", repetitions, 1, MOST_TOKENS);
        BenchRanges.require(spec, "--warm-up", warmUp, 0, MOST_TOKENS);
        RuntimeOptions options = options();
        BenchModelOptions.Files files = models.files(this::note);
        NoiseMeter noise = NoiseMeter.start();
        ServingBench.Result result = new ServingBench(
                        variants(files), options, Duration.ofSeconds(warmUp), repetitions, requests, noise, this::note)
                .run(cases);
        List<String> notes = new ArrayList<>(result.notes());
        notes.addAll(pin.notes(result.device()));
        output.write(
                new BenchOutput.Run(
                        "e2e",
                        "Requests end to end: packed models beside dense, " + files.name(),
                        result.rows(),
                        notes,
                        SHOWN,
                        result.device()),
                noise,
                console);
        return CommandLineApplication.DONE;
    }

    private List<ServingCase> cases() {
        List<ServingCase> cases = new ArrayList<>();
        for (int depth : depths.values()) {
            BenchRanges.require(spec, "--n-depth", depth, 0, MOST_TOKENS);
            for (int prompt : prompts.values()) {
                BenchRanges.require(spec, "--n-prompt", prompt, 1, MOST_TOKENS);
                for (int tokens : generated.values()) {
                    BenchRanges.require(spec, "--n-gen", tokens, 1, MOST_TOKENS);
                    for (int clients : concurrency.values()) {
                        BenchRanges.require(spec, "--concurrency", clients, 1, MOST_AT_A_TIME);
                        cases.add(new ServingCase(prompt, tokens, depth, clients));
                    }
                }
            }
        }
        return cases;
    }

    private RuntimeOptions options() {
        try {
            return RuntimeOptions.defaults()
                    .withDevice(device.name())
                    .withKv(kv.type())
                    .withThreads(threads.count())
                    .withPinned(pin.pinned());
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static List<Variant> variants(BenchModelOptions.Files files) {
        List<Variant> variants = new ArrayList<>();
        @Nullable Path dense = files.dense();
        variants.add(new Variant("dense", () -> dense == null ? DemoModel.open() : ModelLoader.open(dense)));
        files.packed().forEach((name, path) -> variants.add(new Variant(name, () -> ModelLoader.open(path))));
        return variants;
    }

    private void note(String line) {
        if (!common.quiet()) {
            console.note(line);
        }
    }
}
