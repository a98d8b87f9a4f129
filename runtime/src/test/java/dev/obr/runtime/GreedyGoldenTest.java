package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.runtime.transformer.KvType;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Greedy texts and first logits equal those of the transformers library, on every kernel twin. */
class GreedyGoldenTest {
    private static final RuntimeOptions EXACT = RuntimeOptions.defaults().withKv(KvType.F32);

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector", "native"})
    void stories260K(String kernels) throws Exception {
        Path folder = TestModels.resource("stories260K");
        try (LanguageModel model = LanguageModel.open(folder, EXACT.withKernels(kernels))) {
            check(model, Golden.read(folder.resolve("golden.json"), "cases"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector", "native"})
    void demoModel(String kernels) throws Exception {
        Path golden = TestModels.resource("obr-books-7m/golden.json");
        try (LanguageModel model = LanguageModel.openDemo(EXACT.withKernels(kernels))) {
            check(model, Golden.read(golden, "cases"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector", "native"})
    void smolLm2Instruct(String kernels) throws Exception {
        Path folder = TestModels.shared("models/smollm2-135m-instruct");
        Path file = folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
        try (LanguageModel model = LanguageModel.open(file, EXACT.withKernels(kernels))) {
            check(model, Golden.read(folder.resolve("golden.json"), "cases"));
        }
    }

    private static void check(LanguageModel model, List<Golden> cases) {
        assertThat(cases).isNotEmpty();
        for (Golden golden : cases) {
            assertThat(model.tokenizer().encode(golden.prompt(), true))
                    .as("tokens of %s", golden.prompt())
                    .containsExactly(golden.promptIds());
            try (Session session = model.newSession()) {
                GenerationOptions options = GenerationOptions.greedy()
                        .withMaxTokens(golden.greedyIds().size())
                        .withFirstLogits(true);
                GenerationResult result =
                        session.generate(golden.promptIds(), options).result();
                assertThat(result.tokenIds())
                        .as("continuation of %s", golden.prompt())
                        .startsWith(
                                golden.greedyIds().subList(0, golden.certain()).toArray(Integer[]::new));
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
