package dev.obr.compressor.rotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.loader.ModelLoader;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rotated weights on rotated inputs give the outputs of the model, rotated: checked layer by layer on plain matrix products. */
class RotatedModelTest {
    private static final long SEED = 0;
    private static final String LAYER = "model.layers.1.";

    private static Model open(String name) {
        return ModelLoader.open(Path.of("../runtime/src/test/resources/models", name));
    }

    /** Qwen2 and the last have biases, Mistral heads of 24 components that are not hidden/heads, stories260K an intermediate width of 172. */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "qwen3", "mistral", "stories260K", "llama-attention-bias"})
    void layersTurnWithTheirInputs(String name) {
        try (Model model = open(name)) {
            ModelConfig config = model.config();
            Rotation rotation = Rotation.quarot(config, SEED, false);
            assertThat(rotation.skipped()).isEmpty();
            assertThat(rotation.online()).isEqualTo(new OnlineRotation(true, true, true));
            RotatedModel plain = new RotatedModel(model, Rotation.none());
            RotatedModel rotated = new RotatedModel(model, rotation);
            Layers layers = new Layers(plain, rotated);
            int hidden = config.hiddenSize();
            int head = config.headDim();

            float[] state = random(hidden);
            float[] turned = rotateState(state, hidden);
            for (String projection :
                    new String[] {"self_attn.q_proj", "self_attn.k_proj", "mlp.gate_proj", "mlp.up_proj"}) {
                float[] gain = plain.tensor(LAYER
                                + (projection.startsWith("mlp") ? "post_attention_layernorm" : "input_layernorm")
                                + ".weight")
                        .values();
                isClose(layers.rotated(projection, turned), layers.plain(projection, times(state, gain)));
            }
            float[] gain = plain.tensor(LAYER + "input_layernorm.weight").values();
            float[] values = layers.plain("self_attn.v_proj", times(state, gain));
            for (int i = 0; i < values.length; i += head) {
                HadamardTransform.of(head).orElseThrow().apply(values, i);
            }
            isClose(layers.rotated("self_attn.v_proj", turned), values);

            float[] attention = random(config.queryWidth());
            float[] online = attention.clone();
            for (int i = 0; i < online.length; i += head) {
                HadamardTransform.of(head).orElseThrow().apply(online, i);
            }
            HadamardTransform.of(config.heads()).orElseThrow().applyAcross(online, 0, head);
            isClose(
                    layers.rotated("self_attn.o_proj", online),
                    rotateState(layers.plain("self_attn.o_proj", attention), hidden));

            float[] gated = random(config.intermediateSize());
            float[] turnedGate = gated.clone();
            HadamardTransform.of(gated.length).orElseThrow().apply(turnedGate, 0);
            isClose(
                    layers.rotated("mlp.down_proj", turnedGate),
                    rotateState(layers.plain("mlp.down_proj", gated), hidden));

            isClose(
                    rotated.embedding(7, 1).values(),
                    rotateState(plain.embedding(7, 1).values(), hidden));
            float[] finalGain = plain.tensor("model.norm.weight").values();
            isClose(
                    product(rotated.head(3, 20), turned, null),
                    product(plain.head(3, 20), times(state, finalGain), null));
            assertThat(rotated.config().tiedEmbeddings()).isFalse();
            assertThat(plain.config()).isEqualTo(config);
            assertThat(rotated.tensor("model.norm.weight").values()).containsOnly(1f);
            assertThat(rotated.layer(1).keySet())
                    .containsExactlyElementsOf(plain.layer(1).keySet());
            if (config.qkNorm()) {
                assertThat(rotated.tensor(LAYER + "self_attn.q_norm.weight"))
                        .usingRecursiveComparison()
                        .isEqualTo(plain.tensor(LAYER + "self_attn.q_norm.weight"));
            }
        }
    }

    @Test
    void leavesOutWhatHasNoTransform() {
        try (Model model = open("stories260K")) {
            ModelConfig c = model.config();
            ModelConfig nine = new ModelConfig(
                    c.architecture(),
                    576,
                    1537,
                    c.layers(),
                    9,
                    3,
                    64,
                    c.vocabularySize(),
                    c.contextLength(),
                    c.rmsNormEpsilon(),
                    c.ropeTheta(),
                    null,
                    false,
                    -1,
                    c.eosTokenIds());
            Rotation rotation = Rotation.quarot(nine, SEED, false);
            assertThat(rotation.online()).isEqualTo(new OnlineRotation(false, false, true));
            assertThat(rotation.skipped())
                    .containsExactly(
                            "the attention heads (9) is not rotated: no Hadamard transform has this length",
                            "the input of down_proj (1537) is not rotated: no Hadamard transform has this length");
        }
    }

    @Test
    void embeddingRowsLoseTheirMeanOnlyWhenAsked() {
        try (Model model = open("stories260K")) {
            ModelConfig config = model.config();
            float[] row =
                    new RotatedModel(model, Rotation.none()).embedding(9, 1).values();
            double mean = 0;
            for (float value : row) {
                mean += value / row.length;
            }
            for (int i = 0; i < row.length; i++) {
                row[i] -= (float) mean;
            }
            isClose(
                    new RotatedModel(model, Rotation.quarot(config, SEED, true))
                            .embedding(9, 1)
                            .values(),
                    rotateState(row, config.hiddenSize()));
        }
    }

    /** x R1, from the golden-tested parts. */
    private static float[] rotateState(float[] x, int hidden) {
        double[] turned = new double[hidden];
        for (int i = 0; i < hidden; i++) {
            turned[i] = x[i];
        }
        new RandomHadamard(HadamardTransform.of(hidden).orElseThrow(), SEED).apply(turned, 0, 1);
        float[] result = new float[hidden];
        for (int i = 0; i < hidden; i++) {
            result[i] = (float) turned[i];
        }
        return result;
    }

    private record Layers(RotatedModel plainModel, RotatedModel rotatedModel) {
        float[] plain(String projection, float[] x) {
            return of(plainModel, projection, x);
        }

        float[] rotated(String projection, float[] x) {
            return of(rotatedModel, projection, x);
        }

        private static float[] of(RotatedModel model, String projection, float[] x) {
            Matrix bias = model.layer(1).get(LAYER + projection + ".bias");
            return product(model.tensor(LAYER + projection + ".weight"), x, bias);
        }
    }

    /** W x + bias. */
    private static float[] product(Matrix w, float[] x, @Nullable Matrix bias) {
        float[] y = new float[w.rows()];
        for (int r = 0; r < w.rows(); r++) {
            double sum = bias == null ? 0 : bias.at(0, r);
            for (int c = 0; c < w.cols(); c++) {
                sum += (double) w.at(r, c) * x[c];
            }
            y[r] = (float) sum;
        }
        return y;
    }

    private static float[] times(float[] x, float[] gain) {
        float[] y = x.clone();
        for (int i = 0; i < y.length; i++) {
            y[i] *= gain[i];
        }
        return y;
    }

    private static float[] random(int n) {
        Random random = new Random(n);
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private static void isClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(2e-5f * (1 + Math.abs(expected[i]))));
        }
    }
}
