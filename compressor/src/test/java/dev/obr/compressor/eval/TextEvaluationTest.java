package dev.obr.compressor.eval;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.text.TextFile;
import dev.obr.kernels.ObrException;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The demo model on the beginning of Alice in Wonderland, beside the transformers library's float32 and a plain formulation. */
class TextEvaluationTest {
    private static final Path ALICE = Path.of("src/test/resources/text/alice.txt");
    private static final LanguageModel MODEL = AlteredModel.none();

    @AfterAll
    static void close() {
        MODEL.close();
    }

    private static TextWindows windows(Protocol protocol, int length, Bos bos, int limit) {
        int[] tokens = MODEL.tokenizer().encode(TextFile.read(ALICE), false);
        return TextWindows.cut(protocol, tokens, length, bos.token(MODEL), limit, "alice.txt");
    }

    private static TextReport report(TextWindows windows, LanguageModel reference, int threads) {
        try (TextEvaluation evaluation = new TextEvaluation(MODEL, reference, threads)) {
            return evaluation.run(windows, EvaluationProgress.SILENT);
        }
    }

    private static Perplexity perplexity(TextWindows windows) {
        try (TextEvaluation evaluation = new TextEvaluation(MODEL, null, 2)) {
            return evaluation.run(windows, EvaluationProgress.SILENT).perplexity();
        }
    }

    @ParameterizedTest
    @CsvSource({"OBR, 256, AUTO, 49.18179", "OBR, 256, OFF, 48.23806", "LLAMA, 128, AUTO, 43.61630"})
    void isThePerplexityThatTransformersGives(Protocol protocol, int length, Bos bos, double expected) {
        assertThat(perplexity(windows(protocol, length, bos, 0)).value()).isCloseTo(expected, within(2e-4 * expected));
    }

    @ParameterizedTest
    @EnumSource
    void isWhatAPlainFormulationGives(Protocol protocol) {
        TextWindows windows = windows(protocol, 90, Bos.ON, 3); // no multiple of a block of logits
        List<Double> losses = new ArrayList<>();
        for (int[] window : windows.windows()) {
            try (Session session = MODEL.newSession()) {
                for (int i = 0; i + 1 < window.length; i++) {
                    float[] logits = session.append(window[i]); // token by token: other kernels, other order
                    if (i + 1 >= windows.firstScored()) {
                        double sum = 0;
                        for (float logit : logits) {
                            sum += Math.exp(logit);
                        }
                        losses.add(Math.log(sum) - logits[window[i + 1]]);
                    }
                }
            }
        }
        double mean = losses.stream().mapToDouble(x -> x).sum() / losses.size();
        double meanSquare = losses.stream().mapToDouble(x -> x * x).sum() / losses.size();
        Perplexity found = perplexity(windows);
        assertThat(found.logLoss().count()).isEqualTo(losses.size());
        assertThat(found.value()).isCloseTo(Math.exp(mean), within(1e-3));
        double error = Math.exp(mean) * Math.sqrt((meanSquare - mean * mean) / (losses.size() - 1));
        assertThat(found.error()).isCloseTo(error, within(1e-3));
    }

    @Test
    void aModelDoesNotDivergeFromItself() {
        Divergence found = requireNonNull(
                report(windows(Protocol.OBR, 64, Bos.AUTO, 2), MODEL, 2).divergence());
        assertThat(found.mean().mean()).isZero();
        assertThat(found.maximum()).isZero();
        assertThat(found.sameTop().mean()).isEqualTo(1);
    }

    @Test
    void doubledLogitsDivergeAsTransformersSays() {
        try (LanguageModel reference = AlteredModel.none();
                LanguageModel doubled = AlteredModel.doubledHead();
                TextEvaluation evaluation = new TextEvaluation(doubled, reference, 2)) {
            TextReport found = evaluation.run(windows(Protocol.OBR, 256, Bos.AUTO, 1), EvaluationProgress.SILENT);
            Divergence divergence = requireNonNull(found.divergence());
            assertThat(divergence.mean().mean()).isCloseTo(1.288774, within(2e-4));
            assertThat(divergence.sameTop().mean()).isEqualTo(1);
            assertThat(requireNonNull(found.reference()).value())
                    .isLessThan(found.perplexity().value());
        }
    }

    @Test
    void threadsChangeNothing() {
        TextWindows windows = windows(Protocol.LLAMA, 100, Bos.AUTO, 2);
        TextReport one = report(windows, MODEL, 1);
        TextReport three = report(windows, MODEL, 3);
        assertThat(three.perplexity()).isEqualTo(one.perplexity());
        assertThat(three.divergence()).isEqualTo(one.divergence());
    }

    @Test
    void weightsThatAreNoNumbersAreNamed() {
        try (LanguageModel broken = AlteredModel.notANumber();
                TextEvaluation evaluation = new TextEvaluation(broken, null, 2)) {
            TextWindows windows = windows(Protocol.OBR, 32, Bos.AUTO, 1);
            assertThatThrownBy(() -> evaluation.run(windows, EvaluationProgress.SILENT))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("altered")
                    .hasMessageContaining("not finite");
        }
    }

    @Test
    void aWindowLongerThanTheContextIsRefused() {
        TextWindows windows = windows(Protocol.OBR, 300, Bos.AUTO, 1);
        assertThatThrownBy(() -> perplexity(windows))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("context of 256");
    }

    /** llama.cpp's llama-perplexity on this file's weights turned into F32, so that its own rounding of activations stays out: 12.9550 after one window, 21.3732 after two. */
    @Test
    void llamaPerplexityGivesTheSame() {
        Path shared = Path.of(System.getProperty("obr.shared", "../shared"));
        Path gguf = shared.resolve("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
        Path text = shared.resolve("data/wikitext2_raw.wiki.test.raw");
        Assumptions.assumeTrue(Files.exists(gguf) && Files.exists(text), "needs SmolLM2 and WikiText-2 in shared");
        try (LanguageModel model = LanguageModel.open(gguf, RuntimeOptions.defaults());
                TextEvaluation evaluation = new TextEvaluation(model, null, 0)) {
            int[] tokens = model.tokenizer().encode(TextFile.read(text).substring(0, 10_000), false);
            TextWindows windows = TextWindows.cut(Protocol.LLAMA, tokens, 512, Bos.AUTO.token(model), 2, "wiki");
            assertThat(windows.begun()).isFalse();
            List<String> soFar = new ArrayList<>();
            Perplexity found = evaluation
                    .run(windows, (done, total, text2) -> soFar.add(text2))
                    .perplexity();
            assertThat(found.value()).isCloseTo(21.3732, within(0.005));
            assertThat(Double.parseDouble(soFar.getFirst().substring("PPL ".length())))
                    .isCloseTo(12.9550, within(0.005));
        }
    }
}
