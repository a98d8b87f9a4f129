package example;

import dev.obr.runtime.*;
import java.nio.file.Path;

public class Main {
    public static void main(String[] args) {
        try (LanguageModel model = LanguageModel.open(Path.of(args[0]), RuntimeOptions.defaults());
                Session session = model.newSession()) {
            session.generate(args[1], GenerationOptions.defaults().withMaxTokens(200)).run(System.out::print);
        }
    }
}
