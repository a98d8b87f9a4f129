import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.BatchedGeneration;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Continues several texts at once: {@code java --enable-native-access=ALL-UNNAMED -cp obr-runtime.jar Batch.java MODEL "Once upon" "The sea" ...}. */
public class Batch {
    public static void main(String[] args) {
        GenerationOptions options = GenerationOptions.defaults().withMaxTokens(64);
        try (LanguageModel model = LanguageModel.open(Path.of(args[0]), RuntimeOptions.defaults());
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
            List<BatchedGeneration> texts = Arrays.stream(args)
                    .skip(1)
                    .map(text -> model.tokenizer().encode(text, true))
                    .map(prompt -> scheduler.submit(BatchRequest.of(prompt, options)))
                    .toList();
            texts.forEach(text -> System.out.println(text.result().text()));
        }
    }
}
