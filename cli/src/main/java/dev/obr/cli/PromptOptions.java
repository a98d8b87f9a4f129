package dev.obr.cli;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Where the text comes from: an option, a file, or standard input. */
final class PromptOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "TEXT",
            description = "The text; without it and --file, standard input is read.")
    private @Nullable String prompt;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the text from this UTF-8 file; - is standard input.")
    private @Nullable Path file;

    /** The text, exactly as it was given. */
    String read(Console console) {
        ParseResult given = spec.commandLine().getParseResult();
        boolean promptGiven = given.hasMatchedOption("--prompt");
        boolean fileGiven = given.hasMatchedOption("--file");
        if (prompt != null && file != null && promptGiven == fileGiven) {
            throw new ParameterException(spec.commandLine(), "Give --prompt or --file, not both");
        }
        if (prompt != null && !fileGiven) {
            return prompt;
        }
        if (file != null && !file.toString().equals("-")) {
            return TextFile.read(file);
        }
        if (file == null && console.interactive()) {
            throw new ParameterException(
                    spec.commandLine(), "No text: give --prompt TEXT or --file FILE, or pipe a text in");
        }
        try {
            return TextFile.decode("standard input", console.in().readAllBytes());
        } catch (IOException e) {
            throw new ObrException("standard input cannot be read: " + e.getMessage() + "; give --prompt or --file", e);
        }
    }

    /** The text for a model to continue: not empty, and without the line end that closes a file or a piped line. */
    String readPrompt(Console console) {
        String text = read(console);
        if (prompt == null || spec.commandLine().getParseResult().hasMatchedOption("--file")) {
            text = text.endsWith("\r\n") ? text.substring(0, text.length() - 2) : text.replaceFirst("\n\\z", "");
        }
        if (text.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "The prompt is empty: give at least one character");
        }
        return text;
    }
}
