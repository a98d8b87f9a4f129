package dev.obr.cli;

import dev.obr.bench.BenchFormat;
import dev.obr.bench.BenchTest;
import dev.obr.bench.EmulatorBench;
import dev.obr.bench.LinearAlgebraBench;
import dev.obr.bench.MemoryBandwidth;
import dev.obr.bench.ModelBench;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.transformer.KvType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench}: llama-bench's tests on our runtime, in llama-bench's table. */
@Command(
        name = "bench",
        description =
                "Measure tokens per second, as llama-bench does: pp512 computes a prompt of 512 tokens, tg128 generates 128.",
        footer = {"", "Lists (16,32) and ranges (1-8*2, 1-9+2) measure every combination."})
final class BenchCommand implements Callable<Integer> {
    private static final int DEFAULT_PROMPT = 512;
    private static final int DEFAULT_GENERATED = 128;
    private static final int LARGEST_SIZE = 16_384;

    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description =
                    "A Hugging Face folder, a GGUF file, or ORG/NAME of a pulled model; may be given several times. Without it, the built-in model.")
    private List<ModelArgument> models = new ArrayList<>();

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            description =
                    "Prompt lengths to measure; 0 is none. Default: 512, or half the model's context if that is less.")
    private @Nullable NumberList prompts;

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            description =
                    "Numbers of generated tokens to measure; 0 is none. Default: 128, or half the model's context if that is less.")
    private @Nullable NumberList generated;

    @Option(
            names = {"-d", "--n-depth"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "0",
            description = "Tokens already in the context. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList depths;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "0",
            description = "Computing threads; 0 is one per core. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList threads;

    @Option(
            names = {"-r", "--repetitions"},
            paramLabel = "N",
            defaultValue = "5",
            description = "Repetitions of each test, after the warm-up. Default: ${DEFAULT-VALUE}.")
    private int repetitions;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "3",
            description =
                    "Seconds that each test runs before it is measured, one repetition at least: Java compiles meanwhile. Default: ${DEFAULT-VALUE}.")
    private int warmUp;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "md|csv|json|jsonl",
            defaultValue = "md",
            description = "How rows are written: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private BenchFormat output;

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Mixin
    private final KvOption kv = new KvOption();

    @Option(
            names = "--kernels",
            paramLabel = "scalar|vector|native",
            description = "Which kernels compute; without it, the fastest that work here.")
    private @Nullable String kernels;

    BenchCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        if (warmUp < 0) {
            throw new ParameterException(spec.commandLine(), "--warm-up is " + warmUp + ", but must be 0 or more");
        }
        if (repetitions < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--repetitions is " + repetitions + ", but must be 1 or more");
        }
        List<@Nullable ModelArgument> paths =
                models.isEmpty() ? Collections.<@Nullable ModelArgument>singletonList(null) : new ArrayList<>(models);
        boolean kvShown = false;
        for (@Nullable ModelArgument path : paths) {
            try (Model model = open(path)) {
                kvShown |= options().kvOf(model) != KvType.F16;
            }
        }
        console.print(output.header(kvShown));
        boolean first = true;
        for (@Nullable ModelArgument path : paths) {
            for (int threadCount : threads.values()) {
                first = bench(path, threadCount, first, kvShown);
            }
        }
        console.print(output.footer());
        if (first) {
            throw new ObrException("nothing was measured: every test needs more context than the model has");
        }
        return CommandLineApplication.DONE;
    }

    private RuntimeOptions options() {
        try {
            return RuntimeOptions.defaults()
                    .withDevice(device.name())
                    .withKv(kv.type())
                    .withKernels(kernels);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static Model open(@Nullable ModelArgument path) {
        return path == null ? DemoModel.open() : ModelLoader.open(path.path());
    }

    /** Measures one model; returns whether the next row is still the first. */
    private boolean bench(@Nullable ModelArgument path, int threadCount, boolean first, boolean kvShown) {
        RuntimeOptions options = options().withThreads(threadCount);
        Model opened = open(path);
        String name = path == null ? opened.name() : path.toString();
        int limit = opened.config().contextLength();
        List<BenchTest> tests = tests(limit);
        int context = Math.min(
                limit, tests.stream().mapToInt(BenchTest::contextLength).max().orElse(1));
        boolean nextIsFirst = first;
        try (ModelBench bench = new ModelBench(opened, name, options.withContextLength(context))) {
            if (!common.quiet()) {
                console.note(Notes.model(bench.model()));
            }
            for (BenchTest test : tests) {
                if (test.contextLength() > bench.contextLength()) {
                    console.note(test.name() + " is left out: it needs " + test.contextLength()
                            + " tokens of context, and " + name + " has " + bench.contextLength());
                    continue;
                }
                console.print(
                        output.row(bench.run(test, Duration.ofSeconds(warmUp), repetitions), nextIsFirst, kvShown));
                nextIsFirst = false;
            }
        }
        return nextIsFirst;
    }

    private List<BenchTest> tests(int context) {
        NumberList prompts = this.prompts != null ? this.prompts : fitting(DEFAULT_PROMPT, context);
        NumberList generated = this.generated != null ? this.generated : fitting(DEFAULT_GENERATED, context);
        List<BenchTest> tests = new ArrayList<>();
        for (int depth : depths.values()) {
            prompts.values().stream().filter(n -> n > 0).forEach(n -> tests.add(new BenchTest(n, 0, depth)));
            generated.values().stream().filter(n -> n > 0).forEach(n -> tests.add(new BenchTest(0, n, depth)));
        }
        return tests;
    }

    private static NumberList fitting(int tokens, int context) {
        return new NumberList(List.of(Math.min(tokens, context / 2)));
    }

    @Command(name = "membw", description = "Measure how fast memory is read, which bounds generation.")
    int memoryBandwidth(
            @Option(
                            names = {"-t", "--threads"},
                            paramLabel = "N",
                            converter = NumberList.Converter.class,
                            description = "Threads to measure. Default: 1 up to all, doubling.")
                    @Nullable
                    NumberList counts) {
        CpuKernels cpu = CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment())
                .kernels();
        int all = Runtime.getRuntime().availableProcessors();
        console.print("| threads | read GB/s |\n| ------: | --------: |\n");
        for (int count : counts != null ? counts.values() : doubling(all)) {
            if (count < 1) {
                throw new ParameterException(spec.commandLine(), "--threads is " + count + ", but must be 1 or more");
            }
            console.print(String.format(Locale.ROOT, "| %7d | %9.2f |\n", count, MemoryBandwidth.read(count, cpu)));
        }
        return CommandLineApplication.DONE;
    }

    @Command(
            name = "linalg",
            description =
                    "Measure the factorisations that the compressor solves rows by, against products of matrices.")
    int linearAlgebra(
            @Option(
                            names = {"-s", "--size"},
                            paramLabel = "N",
                            converter = NumberList.Converter.class,
                            defaultValue = "256,512,1024,2048",
                            description = "Rows and columns to measure. Default: ${DEFAULT-VALUE}.")
                    NumberList sizes,
            @Option(
                            names = {"-t", "--threads"},
                            paramLabel = "N",
                            defaultValue = "0",
                            description = "Computing threads; 0 is one per core. Default: ${DEFAULT-VALUE}.")
                    int count) {
        if (count < 0) {
            throw new ParameterException(spec.commandLine(), "--threads is " + count + ", but must be 0 or more");
        }
        LinearAlgebras.Choice choice = LinearAlgebras.choose(console.environment());
        if (!common.quiet()) {
            console.note(choice.why());
        }
        int threadCount = count == 0 ? Runtime.getRuntime().availableProcessors() : count;
        console.print("""
                |     n | threads | sgemm GF/s | 1 cholesky GF/s | row solves GF/s | of sgemm |
                | ----: | ------: | ---------: | --------------: | --------------: | -------: |
                """);
        try (ThreadTeam team = new ThreadTeam(threadCount)) {
            LinearAlgebraBench bench = new LinearAlgebraBench(choice.algebra(), team);
            for (int n : sizes.values()) {
                if (n < 1 || n > LARGEST_SIZE) {
                    throw new ParameterException(
                            spec.commandLine(), "--size is " + n + ", but must be from 1 to " + LARGEST_SIZE);
                }
                LinearAlgebraBench.Speeds speeds = bench.measure(n);
                console.print(String.format(
                        Locale.ROOT,
                        "| %5d | %7d | %10.1f | %15.1f | %15.1f | %7.0f%% |\n",
                        n,
                        threadCount,
                        speeds.gemm(),
                        speeds.choleskyAlone(),
                        speeds.rowSolves(),
                        100 * speeds.share()));
            }
        }
        return CommandLineApplication.DONE;
    }

    @Command(
            name = "emulator",
            description =
                    "Measure how fast the PTX emulator runs a kernel: what testing GPU kernels without a GPU costs.")
    int emulator() {
        int all = Runtime.getRuntime().availableProcessors();
        console.print("""
                | threads | checks | warp instructions/s | mma.sp/s |
                | ------: | ------ | ------------------: | -------: |
                """);
        for (int count : doubling(all)) {
            for (boolean check : new boolean[] {true, false}) {
                EmulatorBench.Speed speed = EmulatorBench.measure(count, check);
                console.print(String.format(
                        Locale.ROOT,
                        "| %7d | %-6s | %19.0f | %8.0f |\n",
                        count,
                        check ? "all" : "bounds",
                        speed.instructions() / speed.seconds(),
                        speed.products() / speed.seconds()));
            }
        }
        return CommandLineApplication.DONE;
    }

    private static List<Integer> doubling(int last) {
        List<Integer> counts = new ArrayList<>();
        for (int n = 1; n < last; n *= 2) {
            counts.add(n);
        }
        counts.add(last);
        return counts;
    }
}
