package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.Quantization;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.RuntimeOptions.Activations;
import dev.obr.runtime.Session;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pipeline writes opens, keeps to its pattern and runs. */
class CompressedModelsRunTest {
    /** Of 112 columns 32:64 prunes 32 and 16, as 16 more are padding; every other pattern prunes half of all columns here. */
    private static final double LEAST_ZEROS = 48.0 / 112;

    private static final String STORY =
            "Once upon a time, there was a little girl named Lily. She loved to play outside in the park."
                    + " One day, she saw a big red ball. She wanted to play with it, but it was too high. Her mom said, \"Lily, let's go"
                    + " home and eat.\" Lily was sad, but she went home with her mom. They had a cake and Lily was very happy.";

    /** Tokens before which hardly any code is rounded the other way. */
    private static final int BEGINNING = 8;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    static Stream<Arguments> methodsAndPatterns() {
        return Arrays.stream(Method.values())
                .flatMap(method -> Arrays.stream(Pattern.values())
                        .filter(pattern -> method.prunes() || pattern == Pattern.DENSE)
                        .map(pattern -> Arguments.of(method, pattern)));
    }

    @ParameterizedTest
    @MethodSource("methodsAndPatterns")
    void opensAndGenerates(Method method, Pattern pattern) {
        TinyCompression compression = TinyCompression.of("qwen2");
        Path out = folder.resolve("out");
        List<LinearReport> reports = compression
                .with(compression.options().withMethod(method).withPattern(pattern))
                .run(out);
        assertThat(reports).hasSize(14).allSatisfy(report -> {
            assertThat(report.loss()).isFinite().isNotNegative();
            assertThat(report.zeros()).isBetween(pattern == Pattern.DENSE ? 0 : LEAST_ZEROS, 0.99);
        });
        try (Model model = ModelLoader.open(out)) {
            Quantization quantization = Objects.requireNonNull(model.quantization());
            assertThat(quantization.pattern()).isEqualTo(pattern);
            assertThat(quantization.method()).isEqualTo(method.label());
            assertThat(quantization.sparsity()).isEqualTo(pattern == Pattern.DENSE ? 0 : 0.5);
            assertThat(model.packed()).hasSize(14).allSatisfy((name, packed) -> {
                assertThat(packed.pattern()).isEqualTo(pattern);
                assertThat(zeros(packed)).as(name).isBetween(pattern == Pattern.DENSE ? 0 : LEAST_ZEROS, 0.99);
            });
        }
        assertThat(TinyCompression.report(out).path("layers")).hasSize(2);
        for (int bits : new int[] {4, 8, 16}) {
            try (LanguageModel model = LanguageModel.open(out, options(bits, false, null));
                    Session session = model.newSession()) {
                assertThat(model.kv()).isEqualTo(KvType.INT4);
                assertThat(session.generate(
                                        new int[] {1, 2, 3},
                                        GenerationOptions.greedy().withMaxTokens(4))
                                .run(text -> {})
                                .tokenIds())
                        .isNotEmpty();
            }
        }
    }

    @Test
    void greedyTextsAreTheSameWhateverTheThreads() {
        TinyCompression compression = TinyCompression.of("stories260K");
        Path out = folder.resolve("out");
        compression
                .with(compression.options().withPattern(Pattern.PAIRS_4_OF_8))
                .run(out);
        List<List<Integer>> texts = new ArrayList<>();
        for (int threads : new int[] {1, 2, 3}) {
            try (LanguageModel model =
                            LanguageModel.open(out, options(8, false, null).withThreads(threads));
                    Session session = model.newSession()) {
                int[] prompt = model.tokenizer().encode(STORY, true);
                texts.add(session.generate(prompt, GenerationOptions.greedy().withMaxTokens(60))
                        .run(text -> {})
                        .tokenIds());
            }
        }
        assertThat(texts.get(0)).hasSize(60);
        assertThat(texts).allSatisfy(text -> assertThat(text).isEqualTo(texts.get(0)));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8})
    void otherWidthsRun(int bits) {
        TinyCompression compression = TinyCompression.of("qwen3");
        Path out = folder.resolve("out");
        compression.with(compression.options().withBits(bits)).run(out);
        try (Model model = ModelLoader.open(out)) {
            assertThat(Objects.requireNonNull(model.quantization()).bits()).isEqualTo(bits == 8 ? 8 : 4);
            int limit = 1 << bits - 1;
            model.packed().values().forEach(packed -> {
                byte[] codes = new byte[packed.cols()];
                for (int row = 0; row < packed.rows(); row++) {
                    packed.unpackRow(row, codes, 0);
                    for (byte code : codes) {
                        assertThat((int) code).isBetween(-limit, limit - 1);
                    }
                }
            });
        }
        assertThat(logLoss(out, 8, false, KvType.INT8)).isFinite();
    }

    /** Every weight kept, at 8 bits, floats as activations: what is left is the rounding of a fine grid. */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "qwen3", "mistral", "stories260K", "llama-attention-bias"})
    void aFineGridCostsLittle(String fixture) {
        TinyCompression compression = TinyCompression.of(fixture);
        Path out = folder.resolve("out");
        compression
                .with(compression.options().withMethod(Method.GPTQ).withBits(8))
                .run(out);
        double plain = logLoss(compression.source(), 0, false, KvType.F32);
        assertThat(logLoss(out, 16, false, KvType.F32)).isCloseTo(plain, within(0.02));
        assertThat(logLoss(out, 8, false, KvType.F32)).isCloseTo(plain, within(0.05));
        assertThat(logLoss(out, 8, false, KvType.INT8)).isCloseTo(plain, within(0.05));
    }

    /**
     * Codes multiplied as integers and scaled once, or as the floats that they stand for: the same but for float32, and for the 16 bits in which attention over codes takes queries and
     * weights. Where activations, keys or values are coded, such rounding now and then decides between two codes, after which all later tokens differ, as they do between two kernels that
     * add in another order: so the beginning is compared, most of its tokens where activations are coded, and with coded caches what codes of other things leave alone.
     */
    @ParameterizedTest
    @EnumSource(Pattern.class)
    void integersAgreeWithTheFloatsTheyStandFor(Pattern pattern) {
        TinyCompression compression = TinyCompression.of("stories260K");
        Path out = folder.resolve("out");
        compression.with(compression.options().withPattern(pattern)).run(out);
        assertThat(Arrays.stream(differences(out, 16, KvType.F32, Integer.MAX_VALUE)))
                .allMatch(difference -> difference < 1e-4);
        for (int bits : new int[] {8, 4}) {
            double[] differences = differences(out, bits, KvType.F16, BEGINNING);
            assertThat(differences[BEGINNING / 2]).isLessThan(1e-4);
            assertThat(differences[BEGINNING - 1]).isLessThan(0.1);
        }
        for (KvType kv : List.of(KvType.INT4, KvType.INT8)) {
            assertThat(Arrays.stream(differences(out, 16, kv, BEGINNING))).allMatch(difference -> difference < 0.02);
            assertThat(logLoss(out, 16, false, kv)).isCloseTo(logLoss(out, 16, true, kv), within(0.05));
        }
    }

    /** Between the losses of the first tokens, deployed and simulated: ascending. */
    private static double[] differences(Path out, int bits, KvType kv, int tokens) {
        double[] deployed = losses(out, options(bits, false, kv));
        double[] simulated = losses(out, options(bits, true, kv));
        return IntStream.range(0, Math.min(tokens, deployed.length))
                .mapToDouble(i -> Math.abs(deployed[i] - simulated[i]))
                .sorted()
                .toArray();
    }

    @Test
    void pruningAnyShareIsRecorded() {
        TinyCompression compression = TinyCompression.of("qwen2");
        CompressionOptions options = compression.options().withSparsity(0.25);
        assertThat(compression.with(options).run(folder.resolve("out")))
                .allSatisfy(report -> assertThat(report.zeros()).isBetween(0.25, 0.7));
        try (Model model = ModelLoader.open(folder.resolve("out"))) {
            assertThat(Objects.requireNonNull(model.quantization()).sparsity()).isEqualTo(0.25);
        }
    }

    private static RuntimeOptions options(int activationBits, boolean simulated, @Nullable KvType kv) {
        return RuntimeOptions.defaults()
                .withThreads(2)
                .withKv(kv)
                .withActivations(new Activations(activationBits, Activations.MODELS_OWN, simulated, KvScheme.HEAD));
    }

    private static double logLoss(Path path, int activationBits, boolean simulated, KvType kv) {
        return Arrays.stream(losses(path, options(activationBits, simulated, kv)))
                .average()
                .orElseThrow();
    }

    /** Negative log probabilities of a story's tokens, each after those before it. */
    private static double[] losses(Path path, RuntimeOptions options) {
        try (LanguageModel model = LanguageModel.open(path, options);
                Session session = model.newSession()) {
            int[] all = model.tokenizer().encode(STORY, true);
            int[] tokens = Arrays.copyOf(all, Math.min(all.length, model.contextLength()));
            double[] losses = new double[tokens.length - 1];
            session.append(tokens, 0, (index, logits) -> {
                for (int i = 0; i < logits.length && index + i < losses.length; i++) {
                    losses[index + i] = logSum(logits[i]) - logits[i][tokens[index + i + 1]];
                }
            });
            return losses;
        }
    }

    private static double logSum(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        return largest + Math.log(sum);
    }

    private static double zeros(PackedMatrix packed) {
        byte[] codes = new byte[packed.cols()];
        long zeros = 0;
        for (int row = 0; row < packed.rows(); row++) {
            packed.unpackRow(row, codes, 0);
            for (byte code : codes) {
                zeros += code == 0 ? 1 : 0;
            }
        }
        return (double) zeros / ((long) packed.rows() * packed.cols());
    }
}
