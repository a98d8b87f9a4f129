package dev.obr.runtime.embedding;

import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.nio.file.Path;

/** The trained model of 260 000 parameters among the test resources, and what it says. */
final class Stories {
    static final Path MODEL = Path.of("src/test/resources/models/stories260K");
    static final String PROMPT = "Once upon a time";
    static final String TEXT = ", there was a little girl named Lily. She loved to play outside in the p";

    private Stories() {}

    static LanguageModel open() {
        return LanguageModel.open(MODEL, RuntimeOptions.defaults());
    }

    /** 24 tokens, greedily. */
    static String tell(LanguageModel model) {
        try (Session session = model.newSession()) {
            return session.generate(PROMPT, GenerationOptions.greedy().withMaxTokens(24))
                    .result()
                    .text();
        }
    }
}
