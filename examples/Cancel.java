import dev.obr.runtime.Generation;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.nio.file.Path;
import java.time.Duration;

/** Lets a model write for a second: {@code java --enable-native-access=ALL-UNNAMED -cp obr-runtime.jar Cancel.java MODEL "Once upon a time"}. */
public class Cancel {
    public static void main(String[] args) throws InterruptedException {
        try (LanguageModel model = LanguageModel.open(Path.of(args[0]), RuntimeOptions.defaults());
                Session session = model.newSession()) {
            Generation text = session.generate(args[1], GenerationOptions.defaults());
            Thread writer = Thread.startVirtualThread(() -> text.run(System.out::print));
            writer.join(Duration.ofSeconds(1));
            text.cancel(); // from any thread; what is being computed ends with its token
            writer.join();
            System.out.println();
            System.out.println(text.result().finishReason() + " after " + text.result().tokenIds().size() + " tokens");
        }
    }
}
