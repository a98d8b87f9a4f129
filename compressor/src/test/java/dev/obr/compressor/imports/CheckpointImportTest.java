package dev.obr.compressor.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.MemoryModel;
import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.imports.PublishedCheckpoint.Stored;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.pipeline.CompressionPlan;
import dev.obr.compressor.pipeline.CompressionProgress;
import dev.obr.compressor.pipeline.LinearReport;
import dev.obr.compressor.pipeline.ModelCompressor;
import dev.obr.compressor.pipeline.Target;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A small model, compressed here and written as the published code writes its models, comes back as what it was. */
class CheckpointImportTest {
    private static final Path MODELS = Path.of("../runtime/src/test/resources/models");
    private static final int[] TOKENS = {1, 403, 407, 261, 378, 400, 274, 281, 265};

    /** A packed model for all tests that need no particular one. */
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path unstructured;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path checkpoint;

    @BeforeAll
    static void compress() {
        compress("stories260K", CompressionOptions.defaults(), unstructured.resolve("packed"));
    }

    @BeforeEach
    void create() throws IOException {
        checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
    }

    private static PublishedCheckpoint published(DType type, RotationStyle style) {
        return PublishedCheckpoint.of(unstructured.resolve("packed"), type, style);
    }

    /** Makes a packed model as the compress verb does. */
    private static Path compress(String fixture, CompressionOptions options, Path out) {
        Path source = MODELS.resolve(fixture);
        try (Model model = ModelLoader.open(source)) {
            int[] tokens =
                    new Random(6).ints(500, 0, model.config().vocabularySize()).toArray();
            CompressionPlan plan = new CompressionPlan(
                    options.withWeightClip(true),
                    Target.LAYER,
                    Permute.OFF,
                    Rotation.quarot(model.config(), 0, false),
                    CalibrationWindows.draw(
                            tokens, "random", 3, 40, model.config().contextLength(), 0),
                    "random tokens",
                    4,
                    ActivationClip.SEARCH,
                    4,
                    16,
                    0,
                    "test",
                    1 << 20);
            new ModelCompressor(
                            CpuKernelsProvider.choose("auto", System.getenv()).kernels(),
                            LinearAlgebras.choose(System.getenv()).algebra(),
                            2,
                            new Silent())
                    .compress(
                            model, plan, CompanionFiles.of(source), new ModelCompressor.Destination(out, false, false));
        }
        return out;
    }

    private static final class Silent implements CompressionProgress {
        @Override
        public void calibrated(int layer, String step, int done, int total) {}

        @Override
        public void compressed(LinearReport report) {}

        @Override
        public void finished(int layer, int layers) {}

        @Override
        public void note(String sentence) {}
    }

    private Path imported(Path in, String base) {
        return imported(new ImportOptions(in, MODELS.resolve(base), null, null, null, "test"));
    }

    private Path imported(ImportOptions options) {
        Path out = folder.resolve("out");
        new CheckpointImport(2, note -> {}).run(options, out, false);
        return out;
    }

    @ParameterizedTest
    @EnumSource(Pattern.class)
    void theSameModelComesBack(Pattern pattern) throws IOException {
        CompressionOptions options = CompressionOptions.defaults();
        Path packed = compress(
                "stories260K",
                pattern == Pattern.DENSE ? options.withMethod(Method.GPTQ) : options.withPattern(pattern),
                folder.resolve("packed"));
        PublishedCheckpoint published = PublishedCheckpoint.of(packed, DType.F16, RotationStyle.QUAROT);
        Path out = imported(published.writeTorch(checkpoint), "stories260K");
        try (Model before = ModelLoader.open(packed);
                Model after = ModelLoader.open(out)) {
            Quantization quantization = Objects.requireNonNull(after.quantization());
            assertThat(quantization.pattern()).isEqualTo(pattern);
            assertThat(quantization.rotation()).isEqualTo("quarot");
            assertThat(quantization.online()).isEqualTo(new OnlineRotation(true, true, true));
            assertSameWeights(before, after);
            assertSameLogits(before, after, 2e-3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "llama-attention-bias"})
    void biasesComeAlong(String fixture) {
        Path packed = compress(fixture, CompressionOptions.defaults(), folder.resolve("packed"));
        PublishedCheckpoint.of(packed, DType.F16, RotationStyle.QUAROT).writeSafetensors(checkpoint);
        Path out = imported(new ImportOptions(checkpoint, MODELS.resolve(fixture), null, null, 1e-6f, "test"));
        try (Model before = ModelLoader.open(packed);
                Model after = ModelLoader.open(out)) {
            assertThat(after.config().rmsNormEpsilon()).isEqualTo(1e-6f);
            assertSameWeights(before, after);
        }
    }

    /** What SpinQuant leaves to the runtime is not what the test's model was rotated for: only the weights are compared. */
    @Test
    void spinQuantIsSeenByItsNorms() {
        published(DType.BF16, RotationStyle.SPINQUANT).writeSafetensors(checkpoint);
        try (Model after = ModelLoader.open(imported(checkpoint, "stories260K"))) {
            Quantization quantization = Objects.requireNonNull(after.quantization());
            assertThat(quantization.rotation()).isEqualTo("spinquant");
            assertThat(quantization.online()).isEqualTo(new OnlineRotation(true, false, true));
            assertThat(quantization.pattern()).isEqualTo(Pattern.UNSTRUCTURED);
            assertThat(quantization.sparsity()).isBetween(0.5, 0.7);
        }
    }

    @Test
    void threadsDoNotMatter() throws IOException {
        published(DType.BF16, RotationStyle.QUAROT).writeTorch(checkpoint);
        ImportOptions options = new ImportOptions(checkpoint, MODELS.resolve("stories260K"), null, null, null, "test");
        new CheckpointImport(1, note -> {}).run(options, folder.resolve("one"), false);
        new CheckpointImport(3, note -> {}).run(options, folder.resolve("three"), false);
        for (String file : List.of("config.json", "model.safetensors", "obr-report.json")) {
            assertThat(folder.resolve("one").resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("three").resolve(file));
        }
    }

    static Stream<Arguments> refused() {
        String down = "model.layers.1.mlp.down_proj";
        return Stream.of(
                Arguments.of(down + ".weight: row 2 is no scale times", change(p -> {
                    p.alter(down + ".weight", 2 * 172 + 5, 0.123f);
                    p.alter(down + ".module.weight", 2 * 172 + 5, 0.123f);
                })),
                Arguments.of(down + ".weight twice", change(p -> p.alter(down + ".weight", 7, 0.5f))),
                Arguments.of(
                        "has no tensor model.layers.3.self_attn.q_proj.weight",
                        change(p -> p.tensors()
                                .keySet()
                                .removeIf(key -> key.startsWith("model.layers.3.self_attn.q_proj")))),
                Arguments.of(
                        "has no tensor lm_head.weight", change(p -> p.tensors().remove("lm_head.module.weight"))),
                Arguments.of(
                        "had_K [172, 172] is not the Hadamard matrix of order 172",
                        change(p -> p.alter(down + ".had_K", 3, 5))),
                Arguments.of(
                        "has a tensor model.layers.0.extra",
                        change(p -> p.tensors()
                                .put("model.layers.0.extra", new Stored(DType.F32, List.of(1), new float[1])))),
                Arguments.of(
                        "is a FlatQuant checkpoint",
                        change(p -> p.tensors()
                                .put(
                                        "model.layers.0.self_attn.ln_trans.matrix_left",
                                        new Stored(DType.F32, List.of(1), new float[1])))));
    }

    private static Consumer<PublishedCheckpoint> change(Consumer<PublishedCheckpoint> change) {
        return change;
    }

    @ParameterizedTest
    @MethodSource
    void refused(String sentence, Consumer<PublishedCheckpoint> change) {
        PublishedCheckpoint published = published(DType.F16, RotationStyle.QUAROT);
        change.accept(published);
        published.writeSafetensors(checkpoint);
        assertThatThrownBy(() -> imported(checkpoint, "stories260K"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining(sentence);
        assertThat(folder.resolve("out")).doesNotExist();
        assertThat(folder.resolve("out.partial")).doesNotExist();
    }

    @Test
    void otherBasesRotationsAndPatternsAreRefused() {
        published(DType.F16, RotationStyle.QUAROT).writeSafetensors(checkpoint);
        assertThatThrownBy(() -> imported(checkpoint, "qwen2")).hasMessageContaining("--base must be the model");
        assertThatThrownBy(() -> imported(checkpoint, "gguf-f16")).hasMessageContaining("has no config.json");
        assertThatThrownBy(() -> imported(MODELS.resolve("gguf-f16"), "stories260K"))
                .hasMessageContaining("has none of pytorch_model.bin");
        Path base = MODELS.resolve("stories260K");
        assertThatThrownBy(() -> imported(new ImportOptions(checkpoint, base, null, Pattern.TWO_OF_FOUR, null, "test")))
                .hasMessageContaining("q_proj.weight: row 0 keeps more than the pattern 2:4 allows");
        assertThatThrownBy(() -> imported(new ImportOptions(checkpoint, base, RotationStyle.NONE, null, null, "test")))
                .hasMessageContaining("norm model.norm.weight is a dummy of one element");
        assertThatThrownBy(() -> imported(base, "stories260K")).hasMessageContaining("this is no 4-bit OBR checkpoint");
    }

    /** Every weight, rounded to half precision, is what it was: scales were lost to that rounding, and nothing else. */
    private static void assertSameWeights(Model before, Model after) {
        assertThat(after.packed().keySet())
                .containsExactlyElementsOf(before.packed().keySet());
        after.packed().forEach((name, matrix) -> {
            PackedMatrix original = Objects.requireNonNull(before.packed().get(name));
            assertThat(halves(matrix)).as(name).containsExactly(halves(original));
        });
    }

    private static short[] halves(PackedMatrix matrix) {
        short[] halves = new short[matrix.rows() * matrix.cols()];
        float[] row = new float[matrix.cols()];
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.dequantizeRow(r, row, 0);
            for (int c = 0; c < row.length; c++) {
                halves[r * row.length + c] = Float.floatToFloat16(row[c] + 0f); // no negative zeros
            }
        }
        return halves;
    }

    private static void assertSameLogits(Model before, Model after, double tolerance) {
        for (int count = 1; count <= TOKENS.length; count += 4) {
            int[] tokens = Arrays.copyOf(TOKENS, count);
            float[] expected = MemoryModel.logits(before, Precision.FLOAT, KvType.F32, tokens);
            float[] logits = MemoryModel.logits(after, Precision.FLOAT, KvType.F32, tokens);
            float largest = 0;
            for (float logit : expected) {
                largest = Math.max(largest, Math.abs(logit));
            }
            assertThat(logits).containsExactly(expected, within((float) tolerance * largest));
        }
    }
}
