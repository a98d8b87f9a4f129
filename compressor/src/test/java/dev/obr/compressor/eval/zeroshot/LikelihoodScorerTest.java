package dev.obr.compressor.eval.zeroshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import dev.obr.runtime.transformer.KvType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LikelihoodScorerTest {
    private static final RuntimeOptions OPTIONS =
            RuntimeOptions.defaults().withThreads(2).withKv(KvType.F32);
    private static final LanguageModel MODEL = LanguageModel.openDemo(OPTIONS);

    @AfterAll
    static void close() {
        MODEL.close();
    }

    /** Token by token, with a plain log-softmax. */
    private static Likelihood plainly(int[] tokens, int continuationFrom) {
        double logProbability = 0;
        boolean greedy = true;
        try (Session session = MODEL.newSession()) {
            for (int i = 0; i + 1 < tokens.length; i++) {
                float[] logits = session.append(tokens[i]);
                if (i + 1 >= continuationFrom) {
                    double sum = 0;
                    float most = Float.NEGATIVE_INFINITY;
                    for (float logit : logits) {
                        sum += Math.exp(logit);
                        most = Math.max(most, logit);
                    }
                    logProbability += logits[tokens[i + 1]] - Math.log(sum);
                    greedy &= logits[tokens[i + 1]] == most;
                }
            }
        }
        return new Likelihood(logProbability, greedy);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void choicesThatShareAContextAreScoredAsIfAlone(int bos) {
        List<Request> requests = List.of(
                Request.choice("Question: Who met the rabbit?\nAnswer:", "Alice"),
                Request.choice("Question: Who met the rabbit?\nAnswer:", "the hound of the Baskervilles"),
                Request.choice("Question: Who met the rabbit?\nAnswer:", "the time machine"),
                Request.choice("Question: Who met the rab", "bit?"),
                Request.choice("Once upon a", "time"),
                Request.choice("Question: Who met the rabbit?\nAnswer:", "Alice"));
        try (LikelihoodScorer scorer = new LikelihoodScorer(MODEL, bos)) {
            for (Request request : requests) {
                TokenizedRequest tokens = TokenizedRequest.of(request, MODEL.tokenizer(), bos);
                Likelihood expected = plainly(tokens.tokens(), tokens.continuationFrom());
                Likelihood found = scorer.score(request);
                assertThat(found.logProbability()).isCloseTo(expected.logProbability(), within(2e-3));
                assertThat(found.greedy()).isEqualTo(expected.greedy());
            }
        }
    }

    @Test
    void theWordThatTheModelSaysIsGreedy() {
        // golden.json of the demo model: its greedy continuation of "Once upon a time" begins ", I was"
        try (LikelihoodScorer scorer = new LikelihoodScorer(MODEL, 0)) {
            assertThat(scorer.score(new Request("Once upon a time", ", I was", 7))
                            .greedy())
                    .isTrue();
            assertThat(scorer.score(new Request("Once upon a time", ", I is", 6))
                            .greedy())
                    .isFalse();
        }
    }

    @Test
    void longContextsLoseTheirBeginning() {
        String filler = "the sea ".repeat(300);
        Request request = Request.choice(filler + "and the", "sky");
        try (LikelihoodScorer scorer = new LikelihoodScorer(MODEL, -1)) {
            TokenizedRequest tokens = TokenizedRequest.of(request, MODEL.tokenizer(), -1);
            int[] last = Arrays.copyOfRange(tokens.tokens(), tokens.tokens().length - 257, tokens.tokens().length);
            Likelihood expected = plainly(last, 256);
            assertThat(scorer.score(request).logProbability()).isCloseTo(expected.logProbability(), within(2e-3));
            assertThatThrownBy(() -> scorer.score(Request.choice("short", filler)))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("context of 256");
        }
    }

    static List<Arguments> harness() {
        return List.of(
                Arguments.of(Task.ARC_EASY, 0, new double[] {-23.5433, -34.0630, -32.4486, -29.2240}),
                Arguments.of(Task.WINOGRANDE, 0, new double[] {-27.4235, -25.0686}),
                Arguments.of(Task.LAMBADA_OPENAI, 2, new double[] {-0.7106}));
    }

    /** The log-likelihoods that lm-evaluation-harness 0.4.2 gives with the transformers library in float32, same GGUF file. */
    @ParameterizedTest
    @MethodSource("harness")
    void theHarnessGivesTheSame(Task task, int index, double[] expected) {
        Path shared = Path.of(System.getProperty("obr.shared", "../shared"));
        Path gguf = shared.resolve("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
        Assumptions.assumeTrue(Files.exists(gguf), "needs SmolLM2 in shared");
        TaskItem item =
                TaskFile.read(shared.resolve("data/zeroshot"), task, index + 1).get(index);
        try (LanguageModel model = LanguageModel.open(gguf, OPTIONS);
                LikelihoodScorer scorer = new LikelihoodScorer(model, -1)) {
            double[] found = item.requests().stream()
                    .mapToDouble(request -> scorer.score(request).logProbability())
                    .toArray();
            assertThat(found).containsExactly(expected, within(0.005));
        }
    }
}
