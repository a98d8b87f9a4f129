package dev.obr.cli;

import dev.obr.models.chat.ChatFormat;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.Timings;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** The lines that verbs say about a model and its work. */
final class Notes {
    private Notes() {}

    /** Which model runs, and on what. */
    static String model(LanguageModel model) {
        return "model: " + model.name() + " · " + model.device() + " · " + precision(model) + " · " + model.kernels();
    }

    /** Bits of activations and cache: {@code A8 KVint4}, {@code A4/8 KVint4} where prompts and single tokens differ. */
    static String precision(LanguageModel model) {
        String prompts =
                model.promptActivationBits() == model.activationBits() ? "" : model.promptActivationBits() + "/";
        return "A" + prompts + model.activationBits() + " KV" + model.kv().label();
    }

    /** The command that {@code verb} was called by, for who wants to repeat it. */
    static String command(CommandSpec verb) {
        return "java -jar obr-runtime.jar "
                + String.join(" ", verb.root().commandLine().getParseResult().originalArgs());
    }

    /** How fast it went. */
    static String timings(Timings timings) {
        return String.format(
                Locale.ROOT,
                "prompt: %d tokens, %.1f tok/s · generation: %d tokens, %.1f tok/s",
                timings.promptTokens(),
                timings.promptTokensPerSecond(),
                timings.generatedTokens(),
                timings.generateTokensPerSecond());
    }

    /**
     * How the model writes chat turns.
     *
     * @throws ParameterException if it is a base model
     */
    static ChatFormat chatFormat(LanguageModel model, CommandSpec verb) {
        ChatFormat format = model.chatFormat();
        if (format == null) {
            throw new ParameterException(
                    verb.commandLine(),
                    "The model " + model.name()
                            + " has no chat format: it continues texts (generate without --chat); chat needs an instruct model (--model PATH)");
        }
        return format;
    }
}
