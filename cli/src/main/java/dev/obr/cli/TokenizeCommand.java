package dev.obr.cli;

import dev.obr.models.Model;
import dev.obr.models.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tokenize}: a text as the model reads it. */
@Command(name = "tokenize", description = "Show the token ids of a text.")
final class TokenizeCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private final ModelFile model = new ModelFile();

    @Mixin
    private final PromptOptions prompt = new PromptOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(names = "--pieces", description = "One token a line, with the piece of text it stands for.")
    private boolean pieces;

    @Option(names = "--count", description = "Print the number of tokens only.")
    private boolean count;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Option(
            names = "--no-special",
            description = "Leave out what the model expects around a text, such as the beginning-of-sequence token.")
    private boolean noSpecial;

    TokenizeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        String text = prompt.read(console);
        try (Model opened = model.open()) {
            Tokenizer tokenizer = opened.tokenizer();
            int[] ids = tokenizer.encode(text, !noSpecial);
            console.print(show(tokenizer, ids));
        }
        return CommandLineApplication.DONE;
    }

    private String show(Tokenizer tokenizer, int[] ids) {
        if (json) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("count", ids.length);
            object.put("token_ids", ids);
            object.put("pieces", pieces(tokenizer, ids));
            return JsonOutput.line(object) + "\n";
        }
        if (count) {
            return ids.length + "\n";
        }
        if (pieces) {
            return Arrays.stream(ids)
                    .mapToObj(id -> id + "\t" + tokenizer.piece(id) + "\n")
                    .collect(Collectors.joining());
        }
        return Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(" ")) + "\n";
    }

    private static List<String> pieces(Tokenizer tokenizer, int[] ids) {
        return Arrays.stream(ids).mapToObj(tokenizer::piece).toList();
    }
}
