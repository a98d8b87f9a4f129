package dev.obr.compressor.rotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.MemoryModel;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A rotated model with every quantiser off says what the model said before: all of it together, online transforms included. */
class RotatedLogitsTest {
    private static final int[] TOKENS = {1, 9, 30, 17, 5, 5, 22, 14, 39, 8, 3, 27};

    /** Share of the largest logit that float32 may cost. */
    private static final double ROUNDING = 2e-5;

    /** Biases in qwen2 and llama-attention-bias, norms of queries and keys in qwen3, heads that are not hidden / heads in mistral, a width of 172 in stories260K. */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "qwen3", "mistral", "stories260K", "llama-attention-bias", "gguf-q8_0"})
    void logitsStay(String fixture) {
        try (Model model = ModelLoader.open(Path.of("../runtime/src/test/resources/models", fixture))) {
            logitsStay(model, Rotation.quarot(model.config(), 3, false));
        }
    }

    @Test
    void logitsOfTheDemoModelStay() {
        try (Model model = DemoModel.open()) {
            logitsStay(model, Rotation.quarot(model.config(), 0, false));
        }
    }

    /** As SmolLM2-135M: 9 heads have no transform, which leaves them rotated within each head only. */
    @ParameterizedTest
    @ValueSource(strings = {"NONE", "QKV", "QKVO"})
    void logitsStayWithNineHeads(AttentionBias bias) {
        try (Model demo = DemoModel.open()) {
            ModelConfig config =
                    new ModelConfig("llama", 36, 20, 2, 9, 3, 4, 40, 64, 1e-5f, 10_000, null, true, -1, List.of());
            Rotation rotation = Rotation.quarot(config, 1, false);
            assertThat(rotation.online()).isEqualTo(new OnlineRotation(true, false, true));
            logitsStay(MemoryModel.random(config, bias, demo.tokenizer(), 5), rotation);
        }
    }

    private static void logitsStay(Model model, Rotation rotation) {
        float[] plain = MemoryModel.logits(model, Precision.FLOAT, KvType.F32, TOKENS);
        Model rotated = MemoryModel.rotated(model, rotation, rotation.online());
        assertThat(difference(plain, rotated)).isLessThan(ROUNDING);
        // Not because nothing happens: each transform that is left out is missed.
        OnlineRotation online = rotation.online();
        assertThat(difference(
                        plain,
                        MemoryModel.rotated(
                                model, rotation, new OnlineRotation(false, online.headsInput(), online.queryKey()))))
                .isGreaterThan(100 * ROUNDING);
        if (online.headsInput()) {
            assertThat(difference(
                            plain,
                            MemoryModel.rotated(
                                    model, rotation, new OnlineRotation(online.downInput(), false, online.queryKey()))))
                    .isGreaterThan(100 * ROUNDING);
        }
        // Queries and keys turn alike, so that scores stay with or without it.
        assertThat(difference(
                        plain,
                        MemoryModel.rotated(
                                model, rotation, new OnlineRotation(online.downInput(), online.headsInput(), false))))
                .isCloseTo(0, within(ROUNDING));
    }

    /** The largest difference of two models' logits, as a share of the largest logit. */
    private static double difference(float[] plain, Model other) {
        float[] logits = MemoryModel.logits(other, Precision.FLOAT, KvType.F32, TOKENS);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < plain.length; i++) {
            largest = Math.max(largest, Math.abs(plain[i]));
            difference = Math.max(difference, Math.abs(plain[i] - logits[i]));
        }
        return difference / largest;
    }
}
