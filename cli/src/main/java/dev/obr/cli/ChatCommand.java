package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.ChatSession;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.Generation;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code chat}: a conversation, one line a turn; the model remembers the turns before. */
@Command(
        name = "chat",
        description =
                "Talk with an instruct model: each line is a turn; /clear forgets, /help lists commands, /quit or Ctrl-D ends.")
final class ChatCommand implements Callable<Integer> {
    private static final String HELP = "/clear forgets the conversation, /help shows this, /quit ends";

    private final Console console;
    private final Interruption interruption;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told first.")
    private @Nullable String system;

    ChatCommand(Console console, Interruption interruption) {
        this.console = console;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws IOException {
        GenerationOptions options = sampling.options();
        try (LanguageModel languageModel = model.open()) {
            Notes.chatFormat(languageModel, spec);
            if (!common.quiet()) {
                console.note(Notes.model(languageModel));
            }
            try (ChatSession conversation = languageModel.newChat(system)) {
                converse(conversation, options);
            }
        }
        return CommandLineApplication.DONE;
    }

    private void converse(ChatSession conversation, GenerationOptions options) throws IOException {
        BufferedReader turns =
                new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8.newDecoder()));
        if (console.interactive()) {
            console.note(HELP);
        }
        for (String turn = ask(turns); turn != null; turn = ask(turns)) {
            switch (turn.strip()) {
                case "" -> {}
                case "/quit", "/exit" -> {
                    return;
                }
                case "/clear" -> conversation.clear();
                case "/help" -> console.note(HELP);
                default -> answer(conversation, turn, options);
            }
        }
    }

    /** The next line; null at the end of the input. */
    private @Nullable String ask(BufferedReader turns) throws IOException {
        if (console.interactive()) {
            console.print("> ");
        }
        try {
            return turns.readLine();
        } catch (CharacterCodingException e) {
            throw new ObrException("standard input is not UTF-8; convert it, for example with iconv -t UTF-8", e);
        }
    }

    private void answer(ChatSession conversation, String turn, GenerationOptions options) {
        Generation generation;
        try {
            generation = conversation.send(turn, options);
        } catch (ObrException e) {
            if (!console.interactive()) {
                throw e;
            }
            console.note("error: " + e.getMessage() + " (/clear makes room)");
            return;
        }
        interruption.onInterrupt(generation::cancel);
        for (GeneratedToken token : generation) {
            console.print(token.text());
        }
        console.print("\n");
        interruption.onInterrupt(null);
        if (common.verbose()) {
            console.note(Notes.timings(generation.result().timings()));
        }
    }
}
