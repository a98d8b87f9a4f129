package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.obr.runtime.transformer.KvType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Greedy texts and first logits equal those of the transformers library, for every reader and on every kernel twin. */
class GreedyGoldenTest {
    private static final List<String> TWINS = List.of("scalar", "vector", "native");
    private static final RuntimeOptions EXACT = RuntimeOptions.defaults().withKv(KvType.F32);

    /** The tiny random models, each with one architecture, weight type or vocabulary to prove, and stories260K, a trained one. */
    static List<Arguments> resourceModels() throws Exception {
        try (Stream<Path> folders = Files.list(TestModels.resource(""))) {
            return folders.filter(folder ->
                            Files.exists(folder.resolve("model.gguf")) || Files.exists(folder.resolve("config.json")))
                    .sorted()
                    .<Arguments>flatMap(folder ->
                            TWINS.stream().map(twin -> argumentSet(folder.getFileName() + ", " + twin, folder, twin)))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("resourceModels")
    void readersAndKernels(Path folder, String twin) throws Exception {
        try (LanguageModel model = LanguageModel.open(folder, options(twin))) {
            check(model, Golden.read(folder.resolve("golden.json"), "cases"));
        }
    }

    @ParameterizedTest
    @FieldSource("TWINS")
    void demoModel(String twin) throws Exception {
        try (LanguageModel model = LanguageModel.openDemo(options(twin))) {
            check(model, Golden.read(TestModels.resource("obr-books-7m/golden.json"), "cases"));
        }
    }

    /** The specification computes 135 M parameters at some 7 tokens a second: it answers the first tokens of each case only. */
    private static final int SCALAR_TOKENS = 6;

    @ParameterizedTest
    @FieldSource("TWINS")
    void smolLm2Instruct(String twin) throws Exception {
        int most = twin.equals("scalar") ? SCALAR_TOKENS : Integer.MAX_VALUE;
        Path folder = TestModels.shared("models/smollm2-135m-instruct");
        try (LanguageModel model =
                LanguageModel.open(folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf"), options(twin))) {
            check(model, Golden.read(folder.resolve("golden.json"), "cases"), most);
            check(model, Golden.read(folder.resolve("golden.json"), "chat_cases"), most);
        }
    }

    private static RuntimeOptions options(String twin) {
        TestModels.assumeTwin(twin);
        return EXACT.withKernels(twin);
    }

    private static void check(LanguageModel model, List<Golden> cases) {
        check(model, cases, Integer.MAX_VALUE);
    }

    private static void check(LanguageModel model, List<Golden> cases, int mostTokens) {
        assertThat(cases).isNotEmpty();
        for (Golden golden : cases) {
            try (Session session = model.newSession()) {
                GenerationOptions options = GenerationOptions.greedy()
                        .withMaxTokens(Math.min(mostTokens, golden.greedyIds().size()))
                        .withFirstLogits(true);
                GenerationResult result =
                        session.generate(golden.promptIds(), options).result();
                int certain = Math.min(mostTokens, golden.certain());
                assertThat(result.tokenIds().subList(0, certain))
                        .as("continuation of %s", golden.prompt())
                        .isEqualTo(golden.greedyIds().subList(0, certain));
                float tolerance = 2e-3f * golden.largestLogit();
                List<Float> logits = Objects.requireNonNull(result.firstLogits());
                golden.firstLogits()
                        .forEach((id, logit) -> assertThat(logits.get(id))
                                .as("logit of token %d after %s", id, golden.prompt())
                                .isCloseTo(logit, within(tolerance)));
            }
        }
    }
}
