package dev.obr.cli;

import dev.obr.compressor.imports.CheckpointImport;
import dev.obr.compressor.imports.ImportOptions;
import dev.obr.compressor.imports.RotationStyle;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
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

/** {@code import-obr}: a checkpoint of the published OBR code becomes a folder of packed weights. */
@Command(
        name = "import-obr",
        description = "Import a checkpoint of the published OBR code: recover codes, scales and masks, pack.",
        footer = {
            "",
            "  obr-runtime.jar import-obr Llama2-7B-OBR packed --base Llama-2-7b-hf",
            "  obr-runtime.jar generate --model packed --prompt \"Once upon a time\""
        })
final class ImportCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "IN",
            description = "The checkpoint: a folder with pytorch_model.bin, model.safetensors or the index of either in"
                    + " shards, or one such file.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT", description = "The folder to write.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path out;

    @Option(
            names = "--base",
            paramLabel = "FOLDER",
            description =
                    "The model that the checkpoint was made from: config.json and tokenizer are taken from there. Default: IN.")
    private @Nullable Path base;

    @Option(
            names = "--rotation",
            paramLabel = "auto|quarot|spinquant|none",
            defaultValue = "auto",
            description = "How the checkpoint is rotated; auto sees that from its tensors. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String rotation;

    @Option(
            names = "--pattern",
            paramLabel = "auto|PATTERN",
            defaultValue = "auto",
            description = "dense, unstructured, 32:64, 4:8, 2:4, 4:8p, or auto for the smallest that fits. Default:"
                    + " ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String pattern;

    @Option(
            names = "--rms-eps",
            paramLabel = "X",
            description = "Epsilon of the norms. Default: 1e-5 for quarot, whose code has it so, else the base's.")
    private @Nullable Float epsilon;

    @Option(names = "--force", description = "Replace what is at OUT.")
    private boolean force;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ThreadsOption threads;

    ImportCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        if (epsilon != null && !(epsilon > 0 && epsilon <= 1)) {
            throw wrong("--rms-eps is " + epsilon + ", but must be above 0 and at most 1");
        }
        ImportOptions options = options();
        long start = System.nanoTime();
        CompressionNotes notes = new CompressionNotes(console, common.quiet());
        new CheckpointImport(threads.count(), notes::note).run(options, out, force);
        notes.note(String.format(Locale.ROOT, "%s: %.1f s", out, (System.nanoTime() - start) / 1e9));
        return CommandLineApplication.DONE;
    }

    private ImportOptions options() {
        if (!Files.exists(in)) {
            throw new ObrException(in + " does not exist; check the path");
        }
        Path folder = base != null ? base : Files.isDirectory(in) ? in : in.resolveSibling("");
        try {
            return new ImportOptions(
                    in,
                    folder,
                    rotation.equals("auto") ? null : RotationStyle.parse(rotation),
                    pattern.equals("auto") ? null : Pattern.parse(pattern),
                    epsilon,
                    RootCommand.productVersion());
        } catch (ObrException unknown) {
            throw wrong(String.valueOf(unknown.getMessage()));
        }
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
