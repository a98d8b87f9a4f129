package dev.obr.cli;

import dev.obr.bench.ModelShape;
import dev.obr.bench.RandomModel;
import dev.obr.bench.RandomPackedModel;
import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ModelConfig;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code make-model}: a model with random weights, for benchmarks. */
@Command(name = "make-model", description = "Write a model of a known shape with random weights, to benchmark with.")
final class MakeModelCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            defaultValue = "llama-3.2-1b",
            description = "llama-3.2-1b, llama-2-7b, llama-3-8b or tiny. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String shape;

    @Option(names = "--layers", paramLabel = "N", defaultValue = "0", description = "Layers; 0 is the shape's own.")
    private int layers;

    @Option(names = "--vocab", paramLabel = "N", defaultValue = "0", description = "Vocabulary; 0 is the shape's own.")
    private int vocabulary;

    @Option(
            names = "--format",
            paramLabel = "hf|gguf|packed",
            defaultValue = "gguf",
            description =
                    "A Hugging Face folder, a GGUF file, or a packed model as compress writes it. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Format format;

    @Option(
            names = "--dtype",
            paramLabel = "f16|bf16|f32",
            defaultValue = "f16",
            description = "How weights are stored. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Type type;

    @Option(
            names = "--pattern",
            paramLabel = "PATTERN",
            defaultValue = "4:8p",
            description =
                    "Of a packed model's masks: dense, unstructured, 2:4, 4:8, 32:64 or 4:8p. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String pattern;

    @Mixin
    private HeadBitsOption head = new HeadBitsOption();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Equal seeds give equal models. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Parameters(paramLabel = "OUT", description = "The folder or file to write; it must not exist yet.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path out;

    /** How the model is laid out on disk. */
    private enum Format {
        HF,
        GGUF,
        PACKED
    }

    /** What weights can be made in. */
    private enum Type {
        F16(DType.F16),
        BF16(DType.BF16),
        F32(DType.F32);

        private final DType stored;

        Type(DType stored) {
            this.stored = stored;
        }
    }

    MakeModelCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        ModelConfig config;
        Pattern masks;
        try {
            config = ModelShape.of(shape).config(layers, vocabulary);
            masks = Pattern.parse(pattern);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        RandomModel model = new RandomModel("random-" + shape, config, type.stored, seed);
        long start = System.nanoTime();
        switch (format) {
            case HF -> model.writeHuggingFace(out);
            case GGUF -> model.writeGguf(out);
            case PACKED -> new RandomPackedModel(config, masks, head.bits(), seed).write(out);
        }
        if (!common.quiet()) {
            console.note(String.format(Locale.ROOT, "written in %.1f s", (System.nanoTime() - start) / 1e9));
        }
        console.println(out.toString());
        return CommandLineApplication.DONE;
    }
}
