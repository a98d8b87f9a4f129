package dev.obr.cli;

import dev.obr.bench.machine.PeakMemory;
import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.pipeline.CompressionPlan;
import dev.obr.compressor.pipeline.ModelCompressor;
import dev.obr.compressor.pipeline.Preset;
import dev.obr.compressor.pipeline.Target;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.compressor.text.TextFile;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.gpu.GpuException;
import dev.obr.models.Model;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.packed.CompanionFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code compress}: a model becomes a folder of packed weights. */
@Command(
        name = "compress",
        description = "Compress a model: rotate, prune, quantise, restore, pack.",
        footer = {
            "",
            "  obr-runtime.jar compress SmolLM2-135M packed --pattern 2:4 --calibration wikitext.jsonl",
            "  obr-runtime.jar generate --model packed --prompt \"Once upon a time\"",
            "  obr-runtime.jar eval --model packed --text wikitext.txt --reference SmolLM2-135M"
        })
final class CompressCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "IN",
            description =
                    "A Hugging Face folder, a GGUF file, ORG/NAME of a pulled model, or demo for the small model that is built in.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ModelArgument in;

    @Parameters(index = "1", arity = "0..1", paramLabel = "OUT", description = "The folder to write.")
    private @Nullable Path out;

    @Mixin
    private final LayerOptions linear = new LayerOptions();

    @Option(
            names = "--preset",
            paramLabel = "quality|fast|paper",
            defaultValue = "quality",
            description =
                    "Method and target: obr-plus and residual; the same with a quarter of the mask search, without --permute; or obr-gptq and layer, as published. Options beside it win. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Preset preset;

    @Option(
            names = "--target",
            paramLabel = "residual|layer",
            description =
                    "What each layer's outputs are fitted to: those of the whole model as it was, errors of earlier layers repaired; or, as published, those of the layer's own weights. Default: residual.")
    private @Nullable Target target;

    @Option(
            names = "--permute",
            paramLabel = "auto|on|off",
            description =
                    "Let layers take their inputs in another order, so that 4:8p prunes pairs that matter alike: auto, where that loses less on held-out windows. Default: auto.")
    private @Nullable Permute permute;

    @Option(
            names = "--rotation",
            paramLabel = "quarot|none",
            defaultValue = "quarot",
            description = "What evens out weights and activations first. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String rotation;

    @Option(
            names = "--embed-mean",
            description = "quarot: subtract each embedding's mean, as the published code does; it changes results.")
    private boolean embedMean;

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description = "The text to calibrate on: plain, JSON lines (.jsonl) or a JSON list of texts (.json).")
    private @Nullable Path calibration;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "128",
            description = "Windows of that text. Default: ${DEFAULT-VALUE}.")
    private int samples;

    @Option(
            names = "--seqlen",
            paramLabel = "N",
            defaultValue = "2048",
            description = "Tokens of a window, at most the model's context. Default: ${DEFAULT-VALUE}.")
    private int seqlen;

    @Option(
            names = "--a-bits",
            paramLabel = "4|8|16",
            defaultValue = "4",
            description =
                    "Bits of activations that the model is meant for; whoever runs it may choose others. Default: ${DEFAULT-VALUE}.")
    private int activationBits;

    @Option(
            names = "--a-clip",
            paramLabel = "search|RATIO",
            defaultValue = "search",
            description = "Where 4-bit activations are clipped. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String activationClip;

    @Option(
            names = "--kv-bits",
            paramLabel = "4|8|16",
            defaultValue = "4",
            description = "Bits of keys and values, likewise. Default: ${DEFAULT-VALUE}.")
    private int kvBits;

    @Mixin
    private HeadBitsOption head = new HeadBitsOption();

    @Option(
            names = "--memory",
            paramLabel = "MIB",
            defaultValue = "4096",
            description =
                    "Memory for the activations of the calibration text; beyond it they lie in a file beside OUT. Default: ${DEFAULT-VALUE}.")
    private int memory;

    @Option(
            names = "--bits-report",
            description =
                    "Only print what each pattern and cache costs in bytes; OUT and --calibration are not needed.")
    private boolean bitsReport;

    @Option(names = "--force", description = "Replace what is at OUT.")
    private boolean force;

    @Option(names = "--resume", description = "Go on with a run that was stopped, after its last finished layer.")
    private boolean resume;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ThreadsOption threads;

    @Mixin
    private final CompressionDeviceOption device = new CompressionDeviceOption();

    CompressCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        CompressionOptions chosen = linear.options(preset);
        checkOptions();
        if (bitsReport) {
            try (Model model = demo() ? DemoModel.open() : ModelLoader.open(in.path())) {
                console.print(BitsReport.of(
                        model.name(), model.config(), chosen.bits() == 8 ? 8 : 4, chosen.sparsity(), head.bits()));
            }
            return CommandLineApplication.DONE;
        }
        compress(chosen, required(out, "parameter: 'OUT'"), required(calibration, "option: '--calibration=FILE'"));
        return CommandLineApplication.DONE;
    }

    private <T> T required(@Nullable T value, String name) {
        if (value == null) {
            throw wrong("Missing required " + name);
        }
        return value;
    }

    private void compress(CompressionOptions chosen, Path out, Path calibration) {
        try (CompressionDeviceOption.Opened algebra = device.open(console.environment())) {
            try {
                compress(chosen, out, calibration, algebra);
            } catch (GpuException e) {
                throw new ObrException(
                        e.getMessage()
                                + "; --resume goes on after the last finished layer, with --device cpu if need be",
                        e);
            }
        }
    }

    private void compress(
            CompressionOptions chosen, Path out, Path calibration, CompressionDeviceOption.Opened algebra) {
        CpuKernelsProvider.Choice kernels =
                CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment());
        long start = System.nanoTime();
        try (Model model = demo() ? DemoModel.open() : ModelLoader.open(in.path())) {
            CompressionPlan plan = plan(model, chosen, calibration);
            CompressionNotes notes = new CompressionNotes(console, common.quiet());
            notes.note(model.name() + " · " + chosen.method().label() + " · target "
                    + plan.target().label() + " · "
                    + plan.pattern() + " · rotation "
                    + plan.rotation().name() + " · " + plan.calibration() + " · " + algebra.why());
            new ModelCompressor(kernels.kernels(), algebra.algebra(), threads.count(), notes)
                    .compress(
                            model,
                            plan,
                            demo() ? DemoModel.companions() : CompanionFiles.of(in.path()),
                            new ModelCompressor.Destination(out, force, resume));
            notes.note(String.format(
                    Locale.ROOT,
                    "%s: %.1f minutes%s",
                    out,
                    (System.nanoTime() - start) / 60e9,
                    PeakMemory.bytes().stream()
                            .mapToObj(bytes -> ", " + (bytes >> 20) + " MiB of memory at most")
                            .findFirst()
                            .orElse("")));
        }
    }

    private boolean demo() {
        return in.named().equals(Path.of("demo")) && !Files.exists(in.named());
    }

    private void checkOptions() {
        for (int bits : new int[] {activationBits, kvBits}) {
            if (bits != 4 && bits != 8 && bits != 16) {
                throw wrong("Activations, keys and values have 4, 8 or 16 bits, not " + bits);
            }
        }
        if (memory < 0) {
            throw wrong("--memory is " + memory + ", but must be 0 or more");
        }
        if (!rotation.equals("quarot") && !rotation.equals("none")) {
            throw wrong("--rotation is '" + rotation + "', but must be quarot or none");
        }
    }

    private CompressionPlan plan(Model model, CompressionOptions chosen, Path calibration) {
        // one beginning-of-sequence token at most, in front of the whole text, as the published code has it
        int[] tokens = model.tokenizer().encode(TextFile.read(calibration), true);
        CalibrationWindows windows = CalibrationWindows.draw(
                tokens, calibration.toString(), samples, seqlen, model.config().contextLength(), chosen.seed());
        Rotation turned =
                rotation.equals("none") ? Rotation.none() : Rotation.quarot(model.config(), chosen.seed(), embedMean);
        return new CompressionPlan(
                chosen,
                target == null ? preset.target() : target,
                permute == null ? preset.permute() : permute,
                turned,
                windows,
                windows.count() + " x " + windows.length() + " tokens of " + calibration.getFileName(),
                activationBits,
                clip(),
                kvBits,
                head.bits(),
                chosen.seed(),
                RootCommand.productVersion(),
                (long) memory << 20);
    }

    private ActivationClip clip() {
        try {
            return ActivationClip.parse("--a-clip", activationClip);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
