package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.transformer.KvType;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which model, and how it is run. */
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "PATH",
            description = "A Hugging Face folder or a GGUF file; without it, the small model that is built in.")
    private @Nullable Path model;

    @Option(
            names = {"-c", "--context"},
            paramLabel = "N",
            defaultValue = "0",
            description = "Most tokens of prompt and answer together; 0 is the model's own limit.")
    private int context;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            defaultValue = "0",
            description = "Computing threads; 0 is one per core.")
    private int threads;

    @Option(
            names = "--kv",
            paramLabel = "f16|f32",
            defaultValue = "f16",
            description = "How keys and values are kept: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private KvType kv;

    @Option(
            names = "--kernels",
            paramLabel = "scalar|vector|native",
            description = "Which kernels compute; without it, the fastest that work here.")
    private @Nullable String kernels;

    LanguageModel open() {
        RuntimeOptions options = options();
        return model == null ? LanguageModel.openDemo(options) : LanguageModel.open(model, options);
    }

    /** Another model, run in the same way. */
    LanguageModel open(Path other) {
        return LanguageModel.open(other, options());
    }

    /** 0 is the model's own limit. */
    int context() {
        return context;
    }

    /** 0 is one per core. */
    int threads() {
        return threads;
    }

    private RuntimeOptions options() {
        try {
            return new RuntimeOptions(threads, kernels, kv, context);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
