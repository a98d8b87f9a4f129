import dev.obr.runtime.ChatSession;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.nio.file.Path;

/** Holds a conversation, a line each: {@code java --enable-native-access=ALL-UNNAMED -cp obr-runtime.jar Chat.java MODEL}. */
public class Chat {
    public static void main(String[] args) {
        GenerationOptions options = GenerationOptions.greedy().withMaxTokens(300);
        try (LanguageModel model = LanguageModel.open(Path.of(args[0]), RuntimeOptions.defaults());
                ChatSession chat = model.newChat("You answer briefly.")) {
            for (String line = IO.readln(); line != null; line = IO.readln()) {
                chat.send(line, options).run(IO::print);
                IO.println();
            }
        }
    }
}
