package dev.obr.cli;

import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.Generation;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.Timings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code generate}: one prompt in, its continuation out, token by token. */
@Command(name = "generate", description = "Continue a text, or answer one chat turn with --chat.")
final class GenerateCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;
    private final Interruption interruption;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final PromptOptions prompt = new PromptOptions();

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Option(names = "--chat", description = "Treat the text as one user turn in the model's chat format.")
    private boolean chat;

    @Option(names = "--system", paramLabel = "TEXT", description = "What a chat model is told first; implies --chat.")
    private @Nullable String system;

    @Option(names = "--json", description = "Print one JSON object at the end instead of the text.")
    private boolean json;

    @Option(names = "--first-logits", description = "With --json: the logits of the first generated position.")
    private boolean firstLogits;

    GenerateCommand(Console console, CommonOptions common, Interruption interruption) {
        this.console = console;
        this.common = common;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        if (firstLogits && !json) {
            throw new ParameterException(spec.commandLine(), "--first-logits needs --json");
        }
        GenerationOptions options = sampling.options().withFirstLogits(firstLogits);
        String text = prompt.readPrompt(console);
        long start = System.nanoTime();
        try (LanguageModel languageModel = model.open()) {
            double loadMillis = (System.nanoTime() - start) / 1e6;
            if (!common.quiet()) {
                console.note(Notes.model(languageModel));
            }
            Generation generation = start(languageModel, text, options);
            interruption.onInterrupt(generation::cancel);
            String last = "";
            for (GeneratedToken token : generation) {
                if (!json && !token.text().isEmpty()) {
                    console.print(token.text());
                    last = token.text();
                }
            }
            GenerationResult result = generation.result();
            if (json) {
                console.println(JsonOutput.line(json(languageModel, result, loadMillis)));
            } else if (!last.endsWith("\n")) {
                console.print("\n");
            }
            if (!common.quiet()) {
                console.note(Notes.timings(result.timings()));
            }
            return CommandLineApplication.DONE;
        }
    }

    /** Starts the continuation, or the answer; the model's end frees its session. */
    private Generation start(LanguageModel languageModel, String text, GenerationOptions options) {
        if (!chat && system == null) {
            return languageModel.newSession().generate(text, options);
        }
        Notes.chatFormat(languageModel, spec);
        return languageModel.newChat(system).send(text, options);
    }

    private static Map<String, @Nullable Object> json(LanguageModel model, GenerationResult result, double loadMillis) {
        Timings timings = result.timings();
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("text", result.text());
        object.put("prompt_token_ids", result.promptTokenIds());
        object.put("token_ids", result.tokenIds());
        object.put("finish_reason", result.finishReason().label());
        object.put("prompt_tokens", result.promptTokenIds().size());
        object.put("generated_tokens", result.tokenIds().size());
        if (result.firstLogits() != null) {
            object.put("first_logits", result.firstLogits());
        }
        Map<String, Object> times = new LinkedHashMap<>();
        times.put("load_ms", rounded(loadMillis));
        times.put("prompt_ms", rounded(timings.promptMillis()));
        times.put("first_token_ms", rounded(timings.firstTokenMillis()));
        times.put("generate_ms", rounded(timings.generateMillis()));
        times.put("prompt_tok_s", rounded(timings.promptTokensPerSecond()));
        times.put("generate_tok_s", rounded(timings.generateTokensPerSecond()));
        object.put("timings", times);
        object.put("model", model.name());
        object.put("device", model.device());
        object.put("kernels", model.kernelsName());
        return object;
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
