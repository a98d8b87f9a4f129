package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.RuntimeOptions.Activations;
import dev.obr.runtime.transformer.Precision.KvScheme;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
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
            paramLabel = "MODEL",
            description =
                    "A Hugging Face folder, a GGUF file, or ORG/NAME of a pulled model; without it, the small model that is built in.")
    private @Nullable ModelArgument model;

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

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Mixin
    private final KvOption kv = new KvOption();

    @Option(
            names = "--a-bits",
            paramLabel = "auto|4|8|16",
            defaultValue = "auto",
            description =
                    "Bits of the activations that packed weights multiply; 16 is floats. auto is 8 where these cost no more than 4: on a CPU, and of single tokens on a GPU.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String activationBits;

    @Option(
            names = "--a-clip",
            paramLabel = "search|RATIO",
            description =
                    "Where 4-bit activations are clipped: a share of each token's largest, or the best for each token. Without it, as the model was made for.")
    private @Nullable String activationClip;

    @Option(
            names = "--kernels",
            paramLabel = "scalar|vector|native",
            description = "Which kernels compute; without it, the fastest that work here.")
    private @Nullable String kernels;

    LanguageModel open() {
        return open(false, KvScheme.HEAD);
    }

    /** The model with codes multiplied as floats, as published evaluations do, or as integers. */
    LanguageModel open(boolean simulated, KvScheme scheme) {
        RuntimeOptions options = options(simulated, scheme);
        return model == null ? LanguageModel.openDemo(options) : LanguageModel.open(model.path(), options);
    }

    /** Another model on the CPU, with the same threads and kernels, in the precision that is its own. */
    LanguageModel open(ModelArgument other) {
        return LanguageModel.open(
                other.path(),
                options(false, KvScheme.HEAD).withDevice("cpu").withKv(null).withActivations(Activations.auto()));
    }

    /** 0 is the model's own limit. */
    int context() {
        return context;
    }

    /** 0 is one per core. */
    int threads() {
        return threads;
    }

    private RuntimeOptions options(boolean simulated, KvScheme scheme) {
        try {
            Activations activations = new Activations(bits(), clip(), simulated, scheme);
            return new RuntimeOptions(device.name(), threads, false, kernels, kv.type(), context, activations);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private int bits() {
        return switch (activationBits) {
            case "auto" -> 0;
            case "4", "8", "16" -> Integer.parseInt(activationBits);
            default -> throw new ObrException("--a-bits is '" + activationBits + "', but must be auto, 4, 8 or 16");
        };
    }

    private double clip() {
        if (activationClip == null) {
            return Activations.MODELS_OWN;
        }
        ActivationClip clip = ActivationClip.parse("--a-clip", activationClip);
        return clip.searched() ? Activations.SEARCH : clip.ratio();
    }
}
