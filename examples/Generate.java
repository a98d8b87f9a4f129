import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.nio.file.Path;

/** Continues a text with a model: {@code java --enable-native-access=ALL-UNNAMED -cp obr-runtime.jar Generate.java MODEL "Once upon a time"}. */
public class Generate {
    public static void main(String[] args) {
        try (LanguageModel model = LanguageModel.open(Path.of(args[0]), RuntimeOptions.defaults());
                Session session = model.newSession()) {
            session.generate(args[1], GenerationOptions.defaults().withMaxTokens(200)).run(System.out::print);
        }
    }
}
