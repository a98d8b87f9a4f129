package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.RuntimeOptions.Activations;
import dev.obr.runtime.Session;
import dev.obr.runtime.gpu.GpuPrecision;
import dev.obr.runtime.gpu.GpuTransformer;
import dev.obr.runtime.sampling.Sampler;
import dev.obr.runtime.sampling.SamplerOptions;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packed models on a GPU that is emulated instruction by instruction: what they compute, and what they refuse. */
class GpuModelsTest {
    private static final int CONTEXT = 40;
    private static final int[] PROMPT = {1, 403, 407, 261, 378};

    /** Of another order of 256 float sums at most: a unit of rounding of Σ |w x| each. */
    private static final double HEAD_ERROR = 256 * 0x1p-24;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    /** The model of 260 K parameters, whose feed-forward layers of 172 columns fill no block. */
    private static Path stories(Pattern pattern, Method method) {
        return compressed("stories260K", pattern, method);
    }

    private static synchronized Path compressed(String fixture, Pattern pattern, Method method) {
        Path out = folder.resolve(fixture + "-" + pattern.name() + "-" + method.name());
        if (!Files.exists(out)) {
            TinyCompression compression = TinyCompression.of(fixture);
            CompressionOptions options =
                    compression.options().withMethod(method).withPattern(pattern);
            compression.with(options).withHeadBits(16).run(out);
        }
        return out;
    }

    @ParameterizedTest
    @CsvSource({"sm_80, 4, 8", "sm_90, 8, 8"})
    void tokensAreThoseOfTheScalarTwins(String capability, int promptBits, int stepBits) {
        checkTokens(stories(Pattern.PAIRS_4_OF_8, Method.OBR_RTN), capability, 0, promptBits, stepBits);
    }

    @Tag("emulator")
    @ParameterizedTest
    @CsvSource({
        "TWO_OF_FOUR, sm_80, 0, 4, 8",
        "TWO_OF_FOUR, sm_90, 4, 4, 4",
        "UNSTRUCTURED, sm_80, 0, 4, 8",
        "UNSTRUCTURED, sm_90, 0, 8, 8",
        "FOUR_OF_EIGHT, sm_86, 4, 4, 4",
        "HALF_OF_64, sm_89, 8, 8, 8",
        "PAIRS_4_OF_8, sm_89, 4, 4, 4",
        "DENSE, sm_80, 0, 4, 8",
        "DENSE, sm_90, 8, 8, 8",
    })
    void soTheyAreOnEveryPattern(Pattern pattern, String capability, int asked, int promptBits, int stepBits) {
        Method method = pattern == Pattern.DENSE ? Method.QUANT_ONLY : Method.OBR_RTN;
        checkTokens(stories(pattern, method), capability, asked, promptBits, stepBits);
    }

    /** Columns in another order, as the default preset leaves them. */
    @Tag("emulator")
    @Test
    void soTheyAreWhereColumnsAreReordered() {
        Path path = stories(Pattern.PAIRS_4_OF_8, Method.OBR_PLUS);
        try (Model model = ModelLoader.open(path)) {
            assertThat(model.inputOrders()).isNotEmpty();
        }
        checkTokens(path, "sm_80", 0, 4, 8);
    }

    /** Qwen3: queries and keys have norms of their own. */
    @Test
    void soTheyAreWhereHeadsAreNormalised() {
        checkTokens(compressed("qwen3", Pattern.PAIRS_4_OF_8, Method.OBR_RTN), "sm_86", 0, 4, 8);
    }

    /** The built-in model: 6.8 M parameters, a head of its own, packed to 8 bits. */
    @Tag("emulator")
    @ParameterizedTest
    @CsvSource({"sm_80, 4, 8", "sm_90, 8, 8"})
    void soTheyAreInTheBuiltInModel(String capability, int promptBits, int stepBits) {
        checkTokens(books(), capability, 0, promptBits, stepBits);
    }

    private static synchronized Path books() {
        Path out = folder.resolve("books");
        if (!Files.exists(out)) {
            TinyCompression compression = TinyCompression.of("stories260K")
                    .withSource(Path.of("../models/src/main/resources/dev/obr/models/demo"));
            CompressionOptions options =
                    compression.options().withMethod(Method.OBR_RTN).withPattern(Pattern.PAIRS_4_OF_8);
            compression.with(options).withHeadBits(8).run(out);
        }
        return out;
    }

    private static void checkTokens(Path path, String capability, int asked, int promptBits, int stepBits) {
        try (LanguageModel running = LanguageModel.open(path, options("emulator:" + capability, asked));
                Session session = running.newSession();
                Session again = running.newSession();
                Model model = ModelLoader.open(path)) {
            assertThat(running.promptActivationBits()).isEqualTo(promptBits);
            assertThat(running.activationBits()).isEqualTo(stepBits);
            int[] prompt = Arrays.stream(PROMPT)
                    .map(id -> id % model.config().vocabularySize())
                    .toArray();
            ScalarForwardPass twin = new ScalarForwardPass(model, CONTEXT);
            ScalarForwardPass.Logits expected = twin.next(prompt[0], promptBits);
            for (int i = 1; i < prompt.length; i++) {
                expected = twin.next(prompt[i], promptBits);
            }
            float[] found = session.append(prompt);
            List<Integer> tokens = new ArrayList<>();
            for (int step = 0; step < 3; step++) {
                for (int id = 0; id < found.length; id++) {
                    assertThat((double) found[id])
                            .as("logit of token %d in step %d", id, step)
                            .isEqualTo(expected.value()[id], within(HEAD_ERROR * expected.magnitude()[id]));
                }
                tokens.add(expected.likeliest());
                if (step < 2) {
                    expected = twin.next(tokens.getLast(), stepBits);
                    found = session.append(tokens.getLast());
                }
            }
            GenerationOptions greedy = GenerationOptions.greedy().withMaxTokens(3);
            assertThat(again.generate(prompt, greedy).result().tokenIds()).isEqualTo(tokens);
        }
    }

    /** The CPU keeps more bits between its kernels: codes that are near the middle of two differ, no more. */
    @Tag("emulator")
    @Test
    void aGpuIsNearTheCpu() {
        Path path = books();
        int[] tokens = Arrays.copyOf(PROMPT, 16);
        for (int i = PROMPT.length; i < tokens.length; i++) {
            tokens[i] = 300 + 7 * i;
        }
        float[][] gpu = logits(path, "emulator:sm_90", tokens);
        float[][] cpu = logits(path, "cpu", tokens);
        double divergence = 0;
        for (int t = 0; t < tokens.length; t++) {
            divergence += divergence(cpu[t], gpu[t]) / tokens.length;
        }
        assertThat(divergence).isBetween(0.0, 0.02);
    }

    private static float[][] logits(Path path, String device, int[] tokens) {
        float[][] all = new float[tokens.length][];
        try (LanguageModel model = LanguageModel.open(path, options(device, 8));
                Session session = model.newSession()) {
            session.append(tokens, 0, (index, rows) -> System.arraycopy(rows, 0, all, index, rows.length));
        }
        return all;
    }

    /** Σ p log (p / q). */
    private static double divergence(float[] p, float[] q) {
        double logP = logSum(p);
        double logQ = logSum(q);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            sum += Math.exp(p[i] - logP) * (p[i] - logP - q[i] + logQ);
        }
        return sum;
    }

    private static double logSum(float[] x) {
        double sum = 0;
        for (float v : x) {
            sum += Math.exp(v);
        }
        return Math.log(sum);
    }

    /** Recorded or launched, in one piece or two, alone or beside another sequence: to the bit the same. */
    @Test
    void neitherGraphsNorChunksNorOtherSequencesChangeAnything() {
        Path path = stories(Pattern.PAIRS_4_OF_8, Method.OBR_RTN);
        GpuPrecision precision = new GpuPrecision(8, 8, 0);
        List<float[]> launched = new ArrayList<>();
        List<float[]> recorded = new ArrayList<>();
        try (Model model = ModelLoader.open(path)) {
            try (ForwardPass pass = new GpuTransformer(
                            model, "gpu", new EmulatedDevice(ComputeCapability.SM_80), precision, CONTEXT, false);
                    KvCache cache = pass.newCache(KvType.INT4, CONTEXT)) {
                launched.add(forward(pass, cache, PROMPT));
                launched.add(forward(pass, cache, 7));
                launched.add(forward(pass, cache, 300));
            }
            try (ForwardPass pass = new GpuTransformer(
                            model, "gpu", new EmulatedDevice(ComputeCapability.SM_80), precision, CONTEXT, true);
                    KvCache first = pass.newCache(KvType.INT4, CONTEXT)) {
                forward(pass, first, 1, 403);
                recorded.add(forward(pass, first, 407, 261, 378));
                forward(pass, first, 99);
                first.truncate(PROMPT.length);
                KvCache second = pass.newCache(KvType.INT4, CONTEXT); // the caches move
                forward(pass, second, 50, 60);
                recorded.add(forward(pass, first, 7));
                forward(pass, second, 70);
                recorded.add(forward(pass, first, 300));
                second.close();
                assertThat(first.length()).isEqualTo(7);
            }
        }
        for (int i = 0; i < launched.size(); i++) {
            assertThat(recorded.get(i)).as("piece %d", i).isEqualTo(launched.get(i));
        }
    }

    /** Drawn on the device or, where 256 logits do not suffice, on the host: as the runtime's sampler draws from all of them. */
    @ParameterizedTest
    @CsvSource({"0.8, 40, 0.95, 0.05, 1, 0", "1.5, 0, 1, 0, 1.3, 0", "0, 0, 1, 0, 1.5, 0", "0, 0, 1, 0, 1.5, 1"})
    void sampledTokensAreThoseOfTheSampler(
            float temperature, int topK, float topP, float minP, float penalty, float presence) {
        SamplerOptions sampling =
                new SamplerOptions(temperature, topK, topP, minP, penalty, 4, 3).withPresencePenalty(presence);
        Sampler sampler = new Sampler(sampling, PROMPT.length);
        try (LanguageModel model =
                        LanguageModel.open(stories(Pattern.PAIRS_4_OF_8, Method.OBR_RTN), options("emulator", 8));
                Session session = model.newSession();
                Session host = model.newSession()) {
            int[] context = Arrays.copyOf(PROMPT, PROMPT.length + 3);
            float[] logits = host.append(PROMPT);
            for (int length = PROMPT.length; length < context.length; length++) {
                context[length] = sampler.next(logits, context, length);
                logits = length + 1 < context.length ? host.append(context[length]) : logits;
            }
            GenerationOptions options =
                    GenerationOptions.defaults().withMaxTokens(3).withSampling(sampling);
            assertThat(session.generate(PROMPT, options).result().tokenIds())
                    .isEqualTo(Arrays.stream(context, PROMPT.length, context.length)
                            .boxed()
                            .toList());
        }
    }

    private static float[] forward(ForwardPass pass, KvCache cache, int... tokens) {
        float[] logits = new float[512];
        pass.forward(cache, tokens, logits);
        return logits;
    }

    @Test
    void whatAGpuCannotDoIsOneSentence() {
        Path path = stories(Pattern.PAIRS_4_OF_8, Method.OBR_RTN);
        RuntimeOptions emulated = options("emulator", 0);
        refused(path, emulated.withKv(KvType.F16), "Keys and values were asked for as f16, but GPUs keep them as int4");
        refused(path, options("emulator", 16), "Activations of 16 bits were asked for");
        refused(path, emulated.withKernels("scalar"), "The kernels scalar were asked for, which are a CPU's");
        refused(Path.of("../runtime/src/test/resources/models/stories260K"), emulated, "stories260K is not packed");
        assertThatThrownBy(() -> options("emulator:sm_75", 0))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("The option device is 'emulator:sm_75', but must be auto, cpu,");
        try (Model model = ModelLoader.open(path)) {
            EmulatedDeviceOptions small =
                    EmulatedDeviceOptions.checked(ComputeCapability.SM_80).withMemoryBytes(100_000);
            assertThatThrownBy(() -> transformer(model, new EmulatedDevice(small)))
                    .isInstanceOf(ObrException.class)
                    .hasMessageMatching(
                            ".* needs \\d+ bytes on PTX emulator as sm_80 \\(\\d+ of weights, \\d+ of a cache"
                                    + " for 40 tokens\\), but 100000 of 100000 are free: use a smaller --context, or the CPU.*");
            EmulatedDevice turing = new EmulatedDevice(new ComputeCapability(7, 5));
            assertThatThrownBy(() -> transformer(model, turing))
                    .isInstanceOf(ObrException.class)
                    .hasMessage("PTX emulator as sm_75 is sm_75, but the kernels need sm_80 (Ampere) to sm_90 (Hopper):"
                            + " run it on the CPU (--device cpu).");
        }
    }

    private static ForwardPass transformer(Model model, EmulatedDevice device) {
        return new GpuTransformer(model, "gpu", device, new GpuPrecision(8, 8, 0), CONTEXT);
    }

    private static void refused(Path path, RuntimeOptions options, String sentence) {
        assertThatThrownBy(() -> LanguageModel.open(path, options))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(sentence)
                .hasMessageEndingWith(": run it on the CPU (--device cpu).");
    }

    /** Where nobody asks for a certain device, the CPU takes what no GPU does, and says why. */
    @Test
    void withoutAGpuTheCpuComputes() {
        Path path = stories(Pattern.PAIRS_4_OF_8, Method.OBR_RTN);
        try (LanguageModel model = LanguageModel.open(path, options("auto", 0).withKv(KvType.F16))) {
            assertThat(model.device()).isEqualTo("cpu");
            assertThat(model.kernels()).contains("; no GPU: Keys and values were asked for as f16");
        }
    }

    /** After a kernel has failed, every call says so. */
    @Test
    void aFailedKernelStaysASentence() {
        EmulatorOptions brief = EmulatorOptions.checked().withInstructionLimit(50);
        EmulatedDevice device = new EmulatedDevice(
                EmulatedDeviceOptions.checked(ComputeCapability.SM_80).withEmulator(brief));
        try (Model model = ModelLoader.open(stories(Pattern.PAIRS_4_OF_8, Method.OBR_RTN));
                ForwardPass pass = transformer(model, device);
                KvCache cache = pass.newCache(KvType.INT4, CONTEXT)) {
            assertThatThrownBy(() -> forward(pass, cache, PROMPT)).isInstanceOf(ObrException.class);
            assertThatThrownBy(() -> forward(pass, cache, PROMPT))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("failed before");
        }
    }

    private static RuntimeOptions options(String device, int activationBits) {
        return RuntimeOptions.defaults()
                .withDevice(device)
                .withThreads(2)
                .withContextLength(CONTEXT)
                .withActivations(new Activations(activationBits, Activations.MODELS_OWN, false, KvScheme.HEAD));
    }
}
