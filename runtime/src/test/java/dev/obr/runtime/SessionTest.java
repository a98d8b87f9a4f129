package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What a session promises beyond the right tokens; on the trained stories260K. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SessionTest {
    private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxTokens(24);
    private LanguageModel model;

    @BeforeAll
    void open() {
        model = LanguageModel.open(TestModels.resource("stories260K"), RuntimeOptions.defaults());
    }

    @AfterAll
    void close() {
        model.close();
    }

    @Test
    void streamedTextIsTheResultsText() {
        try (Session session = model.newSession()) {
            StringBuilder streamed = new StringBuilder();
            GenerationResult result =
                    session.generate("Once upon a time", GREEDY).run(streamed::append);
            assertThat(streamed.toString())
                    .isEqualTo(result.text())
                    .startsWith(", there was a little girl named Lily.");
            assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(result.tokenIds()).hasSize(24);
        }
    }

    @Test
    void commonPrefixIsNotComputedAgain() {
        String first = "Once upon a time, there was a little girl";
        String second = "Once upon a time, there was a little boy";
        try (Session reused = model.newSession();
                Session fresh = model.newSession()) {
            GenerationResult before = reused.generate(first, GREEDY).result();
            GenerationResult after = reused.generate(second, GREEDY).result();
            GenerationResult alone = fresh.generate(second, GREEDY).result();
            assertThat(after.tokenIds()).isEqualTo(alone.tokenIds());
            assertThat(after.timings().promptTokens())
                    .isLessThan(alone.timings().promptTokens())
                    .isPositive();
            // the same prompt again costs one token
            assertThat(reused.generate(second, GREEDY).result().timings().promptTokens())
                    .isEqualTo(1);
            assertThat(before.timings().promptTokens())
                    .isEqualTo(before.promptTokenIds().size());
        }
    }

    @Test
    void leavingTheLoopStopsTheWork() {
        try (Session session = model.newSession()) {
            Generation generation = session.generate("Once upon a time", GREEDY);
            int seen = 0;
            for (GeneratedToken token : generation) {
                assertThat(token.id()).isNotNegative();
                if (++seen == 3) {
                    break;
                }
            }
            // the prompt and two of the three new tokens: the third was never fed back
            assertThat(session.length()).isEqualTo(5 + 2);
        }
    }

    @Test
    void cancelEndsAfterTheCurrentToken() {
        try (Session session = model.newSession()) {
            Generation generation = session.generate("Once upon a time", GREEDY);
            generation.next();
            generation.cancel();
            assertThat(generation.hasNext()).isFalse();
            assertThat(generation.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(generation.result().tokenIds()).hasSize(1);
        }
    }

    @Test
    void aNewGenerationEndsTheOldOne() {
        try (Session session = model.newSession()) {
            Generation old = session.generate("Once upon a time", GREEDY);
            old.next();
            session.generate("The cat", GREEDY).result();
            assertThat(old.hasNext()).isFalse();
            assertThat(old.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
        }
    }

    @Test
    void stopStringsEndTheTextBeforeThem() {
        try (Session session = model.newSession()) {
            GenerationResult result = session.generate("Once upon a time", GREEDY.withStop(List.of(" named", "xyz")))
                    .result();
            assertThat(result.text()).isEqualTo(", there was a little girl");
            assertThat(result.finishReason()).isEqualTo(FinishReason.STOP);
        }
    }

    @Test
    void theContextIsALimitNotACrash() {
        RuntimeOptions options = RuntimeOptions.defaults().withContextLength(16);
        try (LanguageModel small = LanguageModel.open(TestModels.resource("stories260K"), options);
                Session session = small.newSession()) {
            GenerationResult result = session.generate("Once upon a time", GenerationOptions.greedy())
                    .result();
            assertThat(result.promptTokenIds().size() + result.tokenIds().size())
                    .isEqualTo(16);
            assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThatThrownBy(() -> session.generate("Once upon a time ".repeat(9), GREEDY))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("context of 16 tokens");
        }
        assertThatThrownBy(() -> LanguageModel.open(
                        TestModels.resource("stories260K"),
                        RuntimeOptions.defaults().withContextLength(513)))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("513")
                .hasMessageContaining("512");
    }

    @Test
    void promptsThatCannotWorkAreNamed() {
        try (Session session = model.newSession()) {
            assertThatThrownBy(() -> session.generate(new int[0], GREEDY))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("empty");
            assertThatThrownBy(() -> session.generate(new int[] {1, 512}, GREEDY))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("token 512");
        }
    }

    @Test
    void halfPrecisionKeysGiveTheSameStory() {
        try (Session session = model.newSession()) {
            assertThat(session.generate("Once upon a time", GREEDY).result().text())
                    .isEqualTo(", there was a little girl named Lily. She loved to play outside in the p");
        }
    }

    @Test
    void appendAndTruncateAreTheSameSteps() {
        try (Session whole = model.newSession();
                Session stepwise = model.newSession()) {
            int[] ids = model.tokenizer().encode("Once upon a time there was", true);
            float[] expected = whole.append(ids);
            stepwise.append(ids[0], 400, 300);
            stepwise.truncate(1);
            float[] logits = new float[0];
            for (int i = 1; i < ids.length; i++) {
                logits = stepwise.append(ids[i]);
            }
            assertThat(stepwise.length()).isEqualTo(ids.length);
            assertThat(logits).usingComparatorWithPrecision(1e-3f).containsExactly(expected);
        }
    }

    @Test
    void sessionsInManyThreadsDoNotDisturbEachOther() throws Exception {
        List<String> prompts = List.of("Once upon a time", "The cat", "One day, Tom", "Lily and her mom");
        List<List<Integer>> alone = new ArrayList<>();
        for (String prompt : prompts) {
            try (Session session = model.newSession()) {
                alone.add(session.generate(prompt, GREEDY).result().tokenIds());
            }
        }
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<Integer>>> together = prompts.stream()
                    .map(prompt -> executor.submit(() -> {
                        try (Session session = model.newSession()) {
                            return session.generate(prompt, GREEDY).result().tokenIds();
                        }
                    }))
                    .toList();
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(together.get(i).get()).isEqualTo(alone.get(i));
            }
        }
    }

    @Test
    void aBaseModelHasNoChat() {
        assertThatThrownBy(() -> model.newChat(null))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("no chat format");
    }

    @Test
    void closingAModelFreesItsSessions() {
        LanguageModel closed = LanguageModel.open(TestModels.resource("stories260K"), RuntimeOptions.defaults());
        Session session = closed.newSession();
        Generation generation = session.generate("Once upon a time", GREEDY);
        generation.next();
        closed.close();
        closed.close();
        assertThatThrownBy(generation::next)
                .isInstanceOfAny(IllegalStateException.class, java.util.NoSuchElementException.class);
        session.close();
    }
}
