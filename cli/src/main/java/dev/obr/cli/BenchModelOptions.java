package dev.obr.cli;

import dev.obr.bench.RandomModels;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A dense model and packed ones of the same shape: given, or made with random weights. */
final class BenchModelOptions {
    /** Four bits without a mask, beside the dense model of half floats. */
    private static final String PACKED_DENSE = "packed dense";

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec command;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "DENSE",
            description = "The dense model: a Hugging Face folder or a GGUF file.")
    private @Nullable Path dense;

    @Option(
            names = "--packed",
            paramLabel = "PATH",
            split = ",",
            description = "Packed variants of it, as compress writes them.")
    private List<Path> packed = new ArrayList<>();

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description =
                    "Instead of --model: models of this shape with random weights, llama-3.2-1b, llama-2-7b, llama-3-8b or tiny.")
    private @Nullable String shape;

    @Option(names = "--layers", paramLabel = "N", defaultValue = "0", description = "Layers; 0 is the shape's own.")
    private int layers;

    @Option(names = "--vocab", paramLabel = "N", defaultValue = "0", description = "Vocabulary; 0 is the shape's own.")
    private int vocabulary;

    @Option(
            names = "--patterns",
            paramLabel = "PATTERN",
            split = ",",
            defaultValue = "4:8p,2:4,32:64,unstructured,dense",
            description = "Packed variants of --shape. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private List<String> patterns;

    @Mixin
    private HeadBitsOption head = new HeadBitsOption();

    @Option(
            names = "--work",
            paramLabel = "DIR",
            defaultValue = "bench-models",
            description =
                    "Where models of --shape are made once and stay, gigabytes for the larger ones. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path work;

    /**
     * The models' files.
     *
     * @param name of the model or the shape, for people
     * @param dense null for the built-in model
     * @param packed by what rows call them
     */
    record Files(String name, @Nullable Path dense, Map<String, Path> packed) {}

    Path work() {
        return work;
    }

    /** Makes what is missing of a shape. */
    Files files(Consumer<String> progress) {
        if (shape == null) {
            Map<String, Path> variants = new LinkedHashMap<>();
            packed.forEach(path -> variants.put(String.valueOf(path.getFileName()), path));
            return new Files(
                    dense == null ? "the built-in model" : String.valueOf(dense.getFileName()), dense, variants);
        }
        if (dense != null || !packed.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(),
                    "give --shape, or --model and --packed, but not both: one shape is measured");
        }
        RandomModels models;
        List<Pattern> wanted;
        try {
            models = RandomModels.of(work, shape, layers, vocabulary, head.bits(), progress);
            wanted = patterns.stream().map(Pattern::parse).distinct().toList();
        } catch (ObrException e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        }
        Map<String, Path> variants = new LinkedHashMap<>();
        wanted.forEach(pattern ->
                variants.put(pattern == Pattern.DENSE ? PACKED_DENSE : pattern.label(), models.packed(pattern)));
        return new Files("random weights of the shape " + models.name(), models.halfFloats(), variants);
    }
}
