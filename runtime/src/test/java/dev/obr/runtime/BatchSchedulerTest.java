package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.transformer.KvType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Texts that are generated together, against the same texts generated alone; on the trained stories260K, and to the last bit on a packed model. */
class BatchSchedulerTest {
    private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxTokens(20);

    private static final Path STORIES = TestModels.resource("stories260K");
    private static final Path PACKED = Path.of("src/test/resources/packed");

    private static LanguageModel open(KvType kv) {
        return open(STORIES, kv);
    }

    private static LanguageModel open(Path model, KvType kv) {
        return LanguageModel.open(model, RuntimeOptions.defaults().withKv(kv));
    }

    /** Prompts of 1 to 330 tokens, some of which begin alike. */
    private static List<int[]> prompts(LanguageModel model) {
        String once = "Once upon a time, there was a little girl named Lily. She liked to play in the park. ";
        List<int[]> prompts = new ArrayList<>();
        for (String text :
                List.of("", "One day", once, once + "One day, she saw", once.repeat(9), once.repeat(9) + "It")) {
            prompts.add(model.tokenizer().encode(text, true));
        }
        prompts.add(new SplittableRandom(7)
                .ints(70, 3, model.config().vocabularySize())
                .toArray());
        return prompts;
    }

    private static List<GenerationResult> alone(LanguageModel model, List<int[]> prompts, GenerationOptions options) {
        return prompts.stream()
                .map(prompt -> {
                    try (Session session = model.newSession()) {
                        return session.generate(prompt, options).result();
                    }
                })
                .toList();
    }

    private static void assertSame(BatchedGeneration actual, GenerationResult expected) {
        StringBuilder streamed = new StringBuilder();
        actual.forEachRemaining(token -> streamed.append(token.text()));
        assertThat(actual.result().tokenIds()).isEqualTo(expected.tokenIds());
        assertThat(actual.result().text()).isEqualTo(expected.text()).isEqualTo(streamed.toString());
        assertThat(actual.result().finishReason()).isEqualTo(expected.finishReason());
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void togetherIsAsAlone(KvType kv) {
        try (LanguageModel model = open(kv)) {
            List<int[]> prompts = prompts(model);
            GenerationOptions sampled =
                    GenerationOptions.defaults().withMaxTokens(20).withSeed(5);
            List<GenerationResult> greedy = alone(model, prompts, GREEDY);
            List<GenerationResult> drawn = alone(model, prompts, sampled);
            for (BatchOptions options : List.of(
                    BatchOptions.defaults(),
                    BatchOptions.defaults().withRunning(3).withChunk(5))) {
                try (BatchScheduler scheduler = new BatchScheduler(model, options)) {
                    List<BatchedGeneration> running = new ArrayList<>();
                    prompts.forEach(prompt -> running.add(scheduler.submit(BatchRequest.of(prompt, GREEDY))));
                    prompts.forEach(prompt -> running.add(scheduler.submit(BatchRequest.of(prompt, sampled))));
                    for (int i = 0; i < prompts.size(); i++) {
                        assertSame(running.get(i), greedy.get(i));
                        assertSame(running.get(prompts.size() + i), drawn.get(i));
                    }
                }
            }
            assertThat(model.pass().cacheBytes()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void whatTextsBeginWithIsComputedOnce(KvType kv) {
        try (LanguageModel model = open(kv);
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
            int[] prompt = prompts(model).get(4);
            GenerationResult expected = alone(model, List.of(prompt), GREEDY).getFirst();
            List<BatchedGeneration> readers = IntStream.range(0, 6)
                    .mapToObj(i -> scheduler.submit(BatchRequest.of(prompt, GREEDY)))
                    .toList();
            readers.forEach(reader -> assertSame(reader, expected));
            assertSame(scheduler.submit(BatchRequest.of(prompt, GREEDY)), expected); // others have ended
            assertThat(scheduler.status().promptTokens()).isEqualTo(prompt.length + 6);
            assertThat(scheduler.status().sharedTokens()).isEqualTo(6L * (prompt.length - 1));
        }
    }

    @Test
    void sequencesMakeRoomAndComeBack() {
        try (LanguageModel model = open(PACKED, KvType.INT4)) {
            GenerationOptions options = GREEDY.withMaxTokens(150);
            List<int[]> prompts = IntStream.range(0, 5)
                    .mapToObj(i -> new SplittableRandom(i).ints(200, 3, 320).toArray())
                    .toList();
            List<GenerationResult> expected = alone(model, prompts, options);
            long page = pageBytes(model);
            try (BatchScheduler scheduler =
                    new BatchScheduler(model, BatchOptions.defaults().withCacheBytes(4 * page))) {
                List<BatchedGeneration> readers = prompts.stream()
                        .map(prompt -> scheduler.submit(BatchRequest.of(prompt, options)))
                        .toList();
                for (int i = 0; i < prompts.size(); i++) {
                    assertSame(readers.get(i), expected.get(i));
                }
                assertThat(scheduler.status().preemptions()).isPositive();
                assertThat(scheduler.status().cacheBytes()).isLessThanOrEqualTo(4 * page);
            }
        }
    }

    /** To the last bit: of a packed model in pieces of any length, of weights that are floats in pieces of fewer than 96 tokens, from where on sums have another order. */
    @ParameterizedTest
    @EnumSource(KvType.class)
    void piecesOfATextGiveTheSameLogits(KvType kv) {
        for (Path name : List.of(PACKED, STORIES)) {
            try (LanguageModel model = open(name, kv)) {
                int[] text = new SplittableRandom(3).ints(400, 3, 320).toArray();
                float[][] single = logits(model, text, 1);
                int[] lengths = {2, 3, 5, 16, 37, 95, 96, 200, 399};
                int few = model.kernelsName().equals("native") ? 6 : 0; // other kernels change at other lengths
                for (int length : name.equals(PACKED) ? lengths : Arrays.copyOf(lengths, few)) {
                    float[][] pieces = logits(model, text, length);
                    for (int i = 0; i < text.length; i++) {
                        if (pieces[i] != null) {
                            assertThat(pieces[i])
                                    .as("%s, %s tokens at once, up to token %s", name, length, i)
                                    .isEqualTo(single[i]);
                        }
                    }
                }
            }
        }
    }

    /** What follows the last token of each piece, null elsewhere. */
    private static float[][] logits(LanguageModel model, int[] text, int length) {
        float[][] logits = new float[text.length][];
        try (Session session = model.newSession()) {
            for (int from = 0; from < text.length; from += length) {
                int to = Math.min(text.length, from + length);
                logits[to - 1] =
                        session.append(Arrays.copyOfRange(text, from, to)).clone();
            }
        }
        return logits;
    }

    private static long pageBytes(LanguageModel model) {
        try (Session session = model.newSession()) {
            session.append(1);
            return session.cacheBytes();
        }
    }

    @Test
    void aLimitBelowOneSequenceIsRefused() {
        try (LanguageModel model = open(KvType.INT4)) {
            assertThatThrownBy(() ->
                            new BatchScheduler(model, BatchOptions.defaults().withCacheBytes(1000)))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("one sequence of 512 tokens needs");
        }
    }

    @Test
    void whoCancelsLeavesAtOnce() {
        try (LanguageModel model = open(KvType.F16);
                BatchScheduler scheduler =
                        new BatchScheduler(model, BatchOptions.defaults().withRunning(2))) {
            GenerationOptions endless = GREEDY.withMaxTokens(-1);
            int[] prompt = prompts(model).get(6);
            BatchedGeneration running = scheduler.submit(BatchRequest.of(prompt, endless));
            BatchedGeneration other =
                    scheduler.submit(BatchRequest.of(prompts(model).get(1), GREEDY));
            BatchedGeneration third =
                    scheduler.submit(BatchRequest.of(prompts(model).get(2), endless));
            running.next();
            running.cancel();
            third.cancel();
            assertThat(running.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(third.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(other.result().tokenIds()).hasSize(20);
        }
    }

    @Test
    void tooManyAreRefused() {
        try (LanguageModel model = open(KvType.F16);
                BatchScheduler scheduler = new BatchScheduler(
                        model, BatchOptions.defaults().withRunning(1).withWaiting(2))) {
            List<BatchedGeneration> accepted = new ArrayList<>();
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 50; i++) {
                            accepted.add(scheduler.submit(
                                    BatchRequest.of(prompts(model).get(6), GREEDY.withMaxTokens(400))));
                        }
                    })
                    .isInstanceOf(BatchFullException.class)
                    .hasMessageContaining("wait already");
            accepted.forEach(BatchedGeneration::cancel);
        }
    }

    @Test
    void thePromptIsExplained() {
        try (LanguageModel model = open(KvType.F16);
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
            int[] prompt = prompts(model).get(6);
            BatchedGeneration reader = scheduler.submit(new BatchRequest(prompt, GREEDY, "", 3, true));
            GenerationResult result = reader.result();
            List<TokenLogprobs> explained = reader.promptLogprobs();
            assertThat(explained).hasSize(prompt.length - 1);
            try (Session session = model.newSession()) {
                session.append(prompt, 0, (index, rows) -> {
                    for (int row = 0; row < rows.length; row++) {
                        int at = index + row;
                        int next = at + 1 < prompt.length
                                ? prompt[at + 1]
                                : result.tokenIds().getFirst();
                        double total = 0;
                        for (float logit : rows[row]) {
                            total += Math.exp(logit);
                        }
                        if (at + 1 < prompt.length) {
                            TokenLogprobs logprobs = explained.get(at);
                            assertThat(logprobs.id()).isEqualTo(next);
                            assertThat(logprobs.logprob()).isCloseTo(rows[row][next] - Math.log(total), within(1e-4));
                            float[] sorted = rows[row].clone();
                            Arrays.sort(sorted);
                            assertThat(logprobs.top()).hasSize(3);
                            assertThat(logprobs.top().getFirst().logprob())
                                    .isCloseTo(sorted[sorted.length - 1] - Math.log(total), within(1e-4));
                        }
                    }
                });
            }
        }
    }

    @Test
    void drainingWaitsForThoseThatCame() throws InterruptedException {
        try (LanguageModel model = open(KvType.F16);
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
            BatchedGeneration reader =
                    scheduler.submit(BatchRequest.of(prompts(model).get(1), GREEDY));
            assertThat(scheduler.drain(Duration.ofSeconds(60))).isTrue();
            assertThat(reader.result().tokenIds()).hasSize(20);
            assertThatThrownBy(() ->
                            scheduler.submit(BatchRequest.of(prompts(model).get(1), GREEDY)))
                    .hasMessageContaining("closed");
        }
    }

    @Test
    void closingEndsAllAndAFailureReachesItsReaders() {
        BatchedGeneration cancelled;
        try (LanguageModel model = open(KvType.F16)) {
            try (BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
                cancelled = scheduler.submit(BatchRequest.of(prompts(model).get(6), GREEDY.withMaxTokens(-1)));
                cancelled.next();
            }
            assertThat(cancelled.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
        }
        LanguageModel model = open(KvType.F16);
        try (BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
            BatchedGeneration reader =
                    scheduler.submit(BatchRequest.of(prompts(model).get(6), GREEDY.withMaxTokens(-1)));
            reader.next();
            model.close();
            assertThatThrownBy(reader::result).isInstanceOf(IllegalStateException.class);
        }
    }
}
