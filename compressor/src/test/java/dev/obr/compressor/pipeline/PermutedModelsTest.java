package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.MemoryModel;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose layers take their inputs in another order: what they compute, and how they come to be. */
class PermutedModelsTest {
    private static final int[] TOKENS = {1, 40, 7, 99, 23, 65, 8, 12, 77, 5, 31, 2};

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private static TinyCompression tiny(String fixture, Pattern pattern, Permute permute) {
        TinyCompression compression = TinyCompression.of(fixture);
        return compression.with(compression.options().withPattern(pattern)).withPermute(permute);
    }

    /** The same model with every weight's columns back in the order of its input: codes anywhere, and no orders. */
    private static Model restored(Model model) {
        Map<String, PackedMatrix> packed = new LinkedHashMap<>(model.packed());
        model.inputOrders()
                .forEach((name, order) -> InputGroup.weightsOrderedBy(name)
                        .forEach(weight -> packed.computeIfPresent(weight, (same, matrix) -> restored(matrix, order))));
        assertThat(packed).isNotEqualTo(model.packed());
        return new Model(
                "restored",
                model.config(),
                model.weights(),
                model.tokenizer(),
                null,
                packed,
                Map.of(),
                model.quantization(),
                Arena.ofAuto());
    }

    private static PackedMatrix restored(PackedMatrix matrix, ColumnOrder order) {
        int cols = matrix.cols();
        byte[] codes = new byte[matrix.rows() * cols];
        boolean[] mask = new boolean[codes.length];
        float[] scales = new float[matrix.rows()];
        byte[] row = new byte[cols];
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.unpackRow(r, row, 0);
            scales[r] = matrix.scale(r);
            for (int c = 0; c < cols; c++) {
                codes[r * cols + order.column(c)] = row[c];
                mask[r * cols + order.column(c)] = row[c] != 0;
            }
        }
        return Packing.pack(Pattern.UNSTRUCTURED, matrix.bits(), matrix.rows(), cols, codes, mask, scales);
    }

    /** A prompt in one go, then token by token. Codes multiply to the same integers, whatever their order. */
    @ParameterizedTest
    @EnumSource(
            value = Pattern.class,
            names = {"TWO_OF_FOUR", "FOUR_OF_EIGHT", "HALF_OF_64", "PAIRS_4_OF_8"})
    void anOrderChangesNoResult(Pattern pattern) {
        Path out = folder.resolve("out");
        tiny("qwen2", pattern, Permute.ON).run(out);
        try (Model permuted = ModelLoader.open(out)) {
            assertThat(permuted.inputOrders()).hasSize(2 * 4);
            Model restored = restored(permuted);
            for (ActivationQuantizer quantizer : List.of(
                    new ActivationQuantizer(4, ActivationQuantizer.SEARCH),
                    new ActivationQuantizer(4, 0.9f),
                    new ActivationQuantizer(8, 1))) {
                for (KvType kv : List.of(KvType.F32, KvType.INT4)) {
                    Precision integers = new Precision(quantizer, false, KvScheme.HEAD);
                    assertThat(MemoryModel.logits(permuted, integers, kv, TOKENS))
                            .containsExactly(MemoryModel.logits(restored, integers, kv, TOKENS));
                }
            }
            for (boolean simulated : new boolean[] {false, true}) {
                isClose(permuted, restored, null, simulated);
            }
        }
    }

    private static void isClose(
            Model permuted, Model restored, @Nullable ActivationQuantizer quantizer, boolean simulated) {
        Precision floats = new Precision(quantizer, simulated, KvScheme.HEAD);
        assertThat(MemoryModel.logits(permuted, floats, KvType.F32, TOKENS))
                .containsExactly(MemoryModel.logits(restored, floats, KvType.F32, TOKENS), within(1e-4f));
    }

    /** No transform stands before down_proj: gate and up give its input in order. */
    @Test
    void withoutARotationTheOrderOfDownCostsNothing() {
        Path out = folder.resolve("out");
        tiny("qwen2", Pattern.PAIRS_4_OF_8, Permute.ON).notRotated().run(out);
        try (Model permuted = ModelLoader.open(out)) {
            assertThat(permuted.inputOrders())
                    .hasSize(2 * 3)
                    .doesNotContainKey("model.layers.0.mlp.down_proj.input_order");
        }
    }

    /** Row r of gate and of up, and column r of down, are the same row and column of the source; some columns of down are all pruned, and known by nothing. */
    @Test
    void gateUpAndDownAreReorderedAlike() {
        Path out = folder.resolve("out");
        TinyCompression compression =
                tiny("qwen2", Pattern.PAIRS_4_OF_8, Permute.ON).notRotated();
        compression
                .with(compression.options().withMethod(Method.WANDA_RTN).withBits(8))
                .run(out);
        try (Model source = ModelLoader.open(compression.source());
                Model permuted = ModelLoader.open(out)) {
            for (int layer = 0; layer < 2; layer++) {
                String mlp = "model.layers." + layer + ".mlp.";
                ColumnOrder input = permuted.inputOrders().get(mlp + "input_order");
                RotatedModel plain = new RotatedModel(source, Rotation.none());
                int[] gate = nearest(
                        Objects.requireNonNull(input).restore(floats(permuted, mlp + "gate_proj.weight")),
                        plain.tensor(mlp + "gate_proj.weight"));
                assertThat(gate)
                        .doesNotHaveDuplicates()
                        .isNotEqualTo(IntStream.range(0, gate.length).toArray());
                assertThat(nearest(
                                input.restore(floats(permuted, mlp + "up_proj.weight")),
                                plain.tensor(mlp + "up_proj.weight")))
                        .containsExactly(gate);
                int[] down = nearest(
                        transposed(floats(permuted, mlp + "down_proj.weight")),
                        transposed(plain.tensor(mlp + "down_proj.weight")));
                assertThat(IntStream.range(0, gate.length).filter(r -> down[r] == gate[r]))
                        .hasSizeGreaterThan(gate.length * 4 / 5);
            }
        }
    }

    private static Matrix floats(Model model, String name) {
        PackedMatrix packed = Objects.requireNonNull(model.packed().get(name));
        Matrix floats = Matrix.zeros(packed.rows(), packed.cols());
        for (int r = 0; r < packed.rows(); r++) {
            packed.dequantizeRow(r, floats.values(), r * packed.cols());
        }
        return floats;
    }

    private static Matrix transposed(Matrix matrix) {
        Matrix transposed = Matrix.zeros(matrix.cols(), matrix.rows());
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                transposed.set(c, r, matrix.at(r, c));
            }
        }
        return transposed;
    }

    /** For each row, the row of {@code source} from which it is least far. */
    private static int[] nearest(Matrix rows, Matrix source) {
        int[] nearest = new int[rows.rows()];
        for (int r = 0; r < nearest.length; r++) {
            double least = Double.POSITIVE_INFINITY;
            for (int s = 0; s < source.rows(); s++) {
                double distance = 0;
                for (int c = 0; c < rows.cols(); c++) {
                    distance += Math.pow(rows.at(r, c) - source.at(s, c), 2);
                }
                if (distance < least) {
                    least = distance;
                    nearest[r] = s;
                }
            }
        }
        return nearest;
    }

    @ParameterizedTest
    @CsvSource({"ON, 8", "OFF, 0"})
    void asAsked(Permute permute, int orders) {
        Path out = folder.resolve("out");
        List<LinearReport> reports =
                tiny("qwen3", Pattern.PAIRS_4_OF_8, permute).run(out);
        assertThat(reports.stream().flatMap(report -> report.notes().stream())).hasSize(orders);
        try (Model model = ModelLoader.open(out)) {
            assertThat(model.inputOrders()).hasSize(orders);
        }
    }

    /** 64 and 172 columns, of which 4 fill no chunk. */
    @Test
    void autoSaysWhatItChose() {
        Path out = folder.resolve("out");
        List<LinearReport> reports =
                tiny("stories260K", Pattern.PAIRS_4_OF_8, Permute.AUTO).run(out);
        List<String> notes =
                reports.stream().flatMap(report -> report.notes().stream()).toList();
        assertThat(notes).hasSize(5 * 4).allMatch(note -> note.matches("(not )?permuted: held-out loss x\\d\\.\\d{3}"));
        try (Model model = ModelLoader.open(out)) {
            assertThat(model.inputOrders()).isNotEmpty().hasSize((int)
                    notes.stream().filter(note -> note.startsWith("permuted")).count());
        }
        assertThat(TinyCompression.report(out).toString()).contains("permuted: held-out loss");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aStoppedRunGoesOnToTheSameBytes(boolean rotated) {
        TinyCompression whole = tiny("stories260K", Pattern.PAIRS_4_OF_8, Permute.ON);
        whole = rotated ? whole : whole.notRotated();
        whole.run(folder.resolve("whole"));
        Path out = folder.resolve("out");
        whole.stopAfter(3, out);
        whole.withThreads(1).resumed().run(out);
        assertThat(TinyCompression.checksums(out)).isEqualTo(TinyCompression.checksums(folder.resolve("whole")));
    }

    @Test
    void theChoiceIsThatOfAnyRun() {
        TinyCompression auto = tiny("llama-attention-bias", Pattern.PAIRS_4_OF_8, Permute.AUTO);
        auto.run(folder.resolve("one"));
        auto.withThreads(3).run(folder.resolve("two"));
        auto.stopAfter(1, folder.resolve("three"));
        auto.resumed().run(folder.resolve("three"));
        Map<String, Long> bytes = TinyCompression.checksums(folder.resolve("one"));
        assertThat(TinyCompression.checksums(folder.resolve("two"))).isEqualTo(bytes);
        assertThat(TinyCompression.checksums(folder.resolve("three"))).isEqualTo(bytes);
        assertThatThrownBy(() -> {
                    auto.stopAfter(1, folder.resolve("four"));
                    auto.withPermute(Permute.OFF).resumed().run(folder.resolve("four"));
                })
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("recipe.permute \"auto\", now \"off\"");
    }

    @ParameterizedTest
    @CsvSource({"UNSTRUCTURED, unstructured", "DENSE, dense"})
    void wherePatternsCountNoGroupsThereIsNothingToOrder(Pattern pattern, String name) {
        assertThatThrownBy(() -> tiny("qwen2", pattern, Permute.ON).run(folder.resolve("out")))
                .isInstanceOf(ObrException.class)
                .hasMessage("An order of columns is of use only to patterns that count them in groups, not to " + name
                        + "; leave it to be chosen (auto).");
        assertThat(Files.exists(folder.resolve("out"))).isFalse();
    }
}
