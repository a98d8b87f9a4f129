package dev.obr.cli;

import dev.obr.bench.MemoryBandwidth;
import dev.obr.bench.compare.CompareBench;
import dev.obr.bench.compare.CompareTests;
import dev.obr.bench.compare.Contender;
import dev.obr.bench.compare.LlamaCpp;
import dev.obr.bench.compare.OtherContender;
import dev.obr.bench.compare.OwnContender;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.runtime.RuntimeOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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

/** {@code bench compare}: llama.cpp and other programs, in turns with this one. */
@Command(
        name = "compare",
        description =
                "Measure llama.cpp in turns with this program, on models of one shape on the CPU: prompts and generation as llama-bench defines them, and how many times as fast we are.")
final class BenchCompareCommand implements Callable<Integer> {
    private static final String Q4_0 = "llama.cpp Q4_0";
    private static final String LLAMA_F16 = "llama.cpp F16";
    private static final String OWN = "OBR ";
    private static final String OWN_F16 = OWN + "F16";
    private static final int MOST = 1 << 20;

    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--llama-cpp",
            paramLabel = "DIR",
            required = true,
            description = "The folder with llama-bench and llama-quantize.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path llamaCpp;

    @Option(
            names = "--peer",
            paramLabel = "NAME=COMMAND",
            description =
                    "Another program: a command that writes its tokens a second as one JSON object, {\"pp128\": 33.0, \"tg\": 14.8, \"by\": \"version\"}. May be given several times.")
    private List<String> peers = new ArrayList<>();

    @Mixin
    private final BenchModelOptions models = new BenchModelOptions();

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "128,512",
            description = "Prompt lengths; half floats do the first only. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList prompts;

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            defaultValue = "128",
            description = "Generated tokens; half floats do 16 at most. Default: ${DEFAULT-VALUE}.")
    private int generated;

    @Mixin
    private final ThreadsOption threads = new ThreadsOption();

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Turns of each program. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "3",
            description = "Seconds that each of our tests runs before it is measured. Default: ${DEFAULT-VALUE}.")
    private int warmUp;

    @Mixin
    private final BenchOutput output = new BenchOutput();

    BenchCompareCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        prompts.values().forEach(length -> BenchRanges.require(spec, "--n-prompt", length, 1, MOST));
        BenchRanges.require(spec, "--n-gen", generated, 1, MOST);
        BenchRanges.require(spec, "--rounds", rounds, 1, MOST);
        BenchRanges.require(spec, "--warm-up", warmUp, 0, MOST);
        List<Contender> others = peers();
        int count = threads.count();
        LlamaCpp llama = new LlamaCpp(llamaCpp);
        BenchModelOptions.Files files = models.files(this::note);
        List<Contender> contenders = contenders(llama, files, count);
        contenders.addAll(others);
        NoiseMeter noise = NoiseMeter.start();
        CompareBench.Result result =
                new CompareBench(contenders, List.of(Q4_0, LLAMA_F16, OWN_F16), rounds, noise, this::note).run();
        List<String> notes = new ArrayList<>(result.notes());
        notes.add(bandwidth(count));
        output.write(
                new BenchOutput.Run(
                        "compare",
                        "llama.cpp and OBR Runtime in turns, " + files.name() + ", " + count + " threads",
                        result.rows(),
                        notes,
                        List.of(CompareBench.SPEED, "/ " + Q4_0, "/ " + LLAMA_F16, "/ " + OWN_F16),
                        "cpu"),
                noise,
                console);
        return CommandLineApplication.DONE;
    }

    private List<Contender> peers() {
        try {
            return peers.stream().<Contender>map(OtherContender::parse).toList();
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private List<Contender> contenders(LlamaCpp llama, BenchModelOptions.Files files, int count) {
        @Nullable Path halfFloats = files.dense();
        if (halfFloats == null || !halfFloats.toString().endsWith(".gguf")) {
            throw new ParameterException(
                    spec.commandLine(),
                    "llama.cpp needs a GGUF file: give one as --model, or a --shape to make one of");
        }
        CompareTests tests = new CompareTests(prompts.values(), generated);
        CompareTests few = tests.shorter();
        RuntimeOptions options = RuntimeOptions.defaults().withDevice("cpu").withThreads(count);
        Duration warm = Duration.ofSeconds(warmUp);
        List<Contender> contenders = new ArrayList<>();
        contenders.add(llama.contender(Q4_0, llama.quantized(halfFloats, models.work(), count), tests, count));
        files.packed()
                .forEach((name, path) -> contenders.add(new OwnContender(OWN + name, path, tests, options, warm)));
        contenders.add(new OwnContender(OWN_F16, halfFloats, few, options, warm));
        contenders.add(llama.contender(LLAMA_F16, halfFloats, few, count));
        return contenders;
    }

    private String bandwidth(int count) {
        CpuKernels cpu = CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment())
                .kernels();
        return String.format(Locale.ROOT, "Memory was read at %.1f GB/s afterwards.", MemoryBandwidth.read(count, cpu));
    }

    private void note(String line) {
        if (!common.quiet()) {
            console.note(line);
        }
    }
}
