package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.RuntimeOptions.Activations;
import dev.obr.runtime.Session;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The head in codes: each row on a grid of its own, and logits that follow from it with inputs as they are. */
class PackedHeadTest {
    private static final int[] TOKENS = {1, 42, 7, 99, 300, 12};

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @ParameterizedTest
    @CsvSource({"8, 1100, 36", "8, 3, 1", "4, 1100, 36", "4, 5, 7"})
    void isWithinHalfAStepOfItsRows(int bits, int rows, int cols) {
        Random random = new Random(3);
        Matrix head = Matrix.zeros(rows, cols);
        for (int i = 0; i < head.values().length; i++) {
            head.values()[i] = (float) random.nextGaussian() * (1 + i / cols % 7);
        }
        try (ThreadTeam team = new ThreadTeam(2);
                Arena arena = Arena.ofConfined()) {
            PackedMatrix packed =
                    PackedHead.pack("head", rows, cols, bits, (from, count) -> rows(head, from, count), team, arena);
            float[] row = new float[cols];
            for (int r = 0; r < rows; r++) {
                packed.dequantizeRow(r, row, 0);
                float largest = 0;
                for (int c = 0; c < cols; c++) {
                    largest = Math.max(largest, Math.abs(head.values()[r * cols + c]));
                }
                float step = packed.scale(r);
                assertThat(step).isLessThanOrEqualTo(largest / ((1 << bits - 1) - 1) * 1.0001f);
                float most = step * ((1 << bits - 1) - 1);
                for (int c = 0; c < cols; c++) {
                    float wanted = Math.clamp(head.values()[r * cols + c], -most - step, most);
                    assertThat(row[c]).isCloseTo(wanted, within(0.5001f * step));
                }
            }
        }
    }

    @Test
    void refusesWhatIsNoNumber() {
        Matrix head = new Matrix(2, 2, new float[] {1, 2, 3, Float.NaN});
        try (ThreadTeam team = new ThreadTeam(1);
                Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> PackedHead.pack("head", 2, 2, 8, (from, count) -> head, team, arena))
                    .isInstanceOf(ObrException.class)
                    .hasMessage(
                            "tensor head has the value NaN in row 1, which is no finite number; the model cannot be packed");
        }
    }

    private static Matrix rows(Matrix all, int from, int count) {
        Matrix some = Matrix.zeros(count, all.cols());
        System.arraycopy(all.values(), from * all.cols(), some.values(), 0, some.values().length);
        return some;
    }

    /** A tied head becomes one of its own; what it does to the logits is its own rounding, in either twin, whatever happens to the inputs of other layers. */
    @ParameterizedTest
    @CsvSource({"8, true, native", "8, false, scalar", "4, true, scalar", "4, false, native", "8, true, vector"})
    void logitsAreThoseOfTheRoundedHead(int bits, boolean rotates, String kernels) {
        TinyCompression halves = TinyCompression.of("stories260K");
        if (!rotates) {
            halves = halves.notRotated();
        }
        Path whole = folder.resolve("halves");
        Path packed = folder.resolve("packed");
        halves.run(whole);
        halves.withHeadBits(bits).run(packed);
        float[] expected = logits(whole, kernels);
        float[] actual = logits(packed, kernels);
        double[] bound = bound(packed, halves.source(), rotates, bits);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).isCloseTo(expected[i], within(bound[i]));
        }
    }

    /** |Δlogit| <= Σ|Δw| |h|, with |h_c| <= sqrt(hidden) behind a norm without weights, or the norm's largest weight times that; a loose one that a wrong scale or row breaks. */
    private static double[] bound(Path packedFolder, Path source, boolean rotates, int bits) {
        try (Model packed = ModelLoader.open(packedFolder);
                Model original = ModelLoader.open(source)) {
            RotatedModel rotated = new RotatedModel(
                    original, rotates ? Rotation.quarot(original.config(), 0, false) : Rotation.none());
            PackedMatrix head = Objects.requireNonNull(packed.packed().get("lm_head.weight"));
            int hidden = head.cols();
            double[] bound = new double[head.rows()];
            float[] row = new float[hidden];
            float[] norm = rotated.tensor("model.norm.weight").values();
            for (int r = 0; r < bound.length; r++) {
                head.dequantizeRow(r, row, 0);
                Matrix wanted = rotated.head(r, 1);
                double squares = 0;
                for (int c = 0; c < hidden; c++) {
                    double difference = (row[c] - wanted.values()[c]) * norm[c];
                    squares += difference * difference;
                }
                // Cauchy-Schwarz: the normalised input has the length sqrt(hidden)
                bound[r] = Math.sqrt(squares * hidden) * 1.01 + 1e-2;
            }
            return bound;
        }
    }

    private static float[] logits(Path folder, String kernels) {
        RuntimeOptions options = RuntimeOptions.defaults()
                .withThreads(2)
                .withKernels(kernels)
                .withKv(KvType.F32)
                .withActivations(new Activations(4, Activations.MODELS_OWN, false, KvScheme.HEAD));
        try (LanguageModel model = LanguageModel.open(folder, options);
                Session session = model.newSession()) {
            return session.append(TOKENS);
        }
    }
}
