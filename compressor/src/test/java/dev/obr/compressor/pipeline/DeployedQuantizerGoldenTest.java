package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.compressor.Golden;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The quantisers that run with the model against those of the published code, where the scheme is the same. Steps are half floats here and float32 there: values may differ by that, and
 * where they lie next to the middle between two codes, by a step.
 */
class DeployedQuantizerGoldenTest {
    /** Half a unit in the last place of a half float, and a little for float32. */
    private static final double HALF_STEP = 0x1p-11 + 1e-6;

    static List<Golden> activations() {
        return Golden.ofKind("activation_quantizer").stream()
                .filter(golden -> golden.parameter("sym").asBoolean()
                        && golden.parameter("groupsize").asInt() < 0
                        && (golden.parameter("bits").asInt() == 4 || clip(golden) == 1))
                .toList();
    }

    static List<Golden> keys() {
        return Golden.ofKind("k_cache").stream()
                .filter(golden -> !golden.parameter("sym").asBoolean() && clip(golden) == 1)
                .toList();
    }

    private static float clip(Golden golden) {
        return (float) golden.parameter("clip_ratio").asDouble();
    }

    @ParameterizedTest
    @MethodSource
    void activations(Golden golden) {
        Matrix x = golden.matrix("x");
        float[] y = golden.array("y");
        float[] steps = golden.array("scale_full");
        int bits = golden.parameter("bits").asInt();
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, clip(golden));
        float[] actual = x.values();
        for (int row = 0; row < x.rows(); row++) {
            int at = row * x.cols();
            float scale = quantizer.quantize(actual, at, x.cols());
            assertThat(Math.abs(scale - steps[at])).isLessThanOrEqualTo((float) (steps[at] * HALF_STEP));
            for (int c = at; c < at + x.cols(); c++) {
                actual[c] *= scale;
            }
        }
        checkNearly(actual, y, steps, bits);
    }

    /** Keys are rotated by a Hadamard transform of each head first. */
    @ParameterizedTest
    @MethodSource
    void keys(Golden golden) {
        int width = golden.parameter("groupsize").asInt();
        int bits = golden.parameter("bits").asInt();
        float[] actual = golden.array("k");
        float[] steps = new float[actual.length];
        KvQuantizer quantizer = new KvQuantizer(bits, width);
        MemorySegment place = MemorySegment.ofArray(new byte[quantizer.byteSize()]);
        for (int at = 0; at < actual.length; at += width) {
            HadamardTransform.of(width).orElseThrow().apply(actual, at);
            float lo = 0;
            float hi = 0;
            for (int i = at; i < at + width; i++) {
                lo = Math.min(lo, actual[i]);
                hi = Math.max(hi, actual[i]);
            }
            for (int i = at; i < at + width; i++) {
                steps[i] = (hi - lo) / ((1 << bits) - 1);
            }
            quantizer.store(actual, at, place, 0);
        }
        checkNearly(actual, golden.array("k_out"), steps, bits);
    }

    private static void checkNearly(float[] actual, float[] expected, float[] steps, int bits) {
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(actual[i] - expected[i]);
            double rounding = Math.abs(expected[i]) * HALF_STEP + 1e-5;
            assertThat(difference).isLessThanOrEqualTo(steps[i] + rounding);
            different += difference > rounding ? 1 : 0;
        }
        // A code of n steps lies n halfRounding steps further: 4 bits have up to 15, 8 bits up to 127, most far fewer.
        assertThat((double) different / expected.length).isLessThanOrEqualTo(bits == 4 ? 0.005 : 0.03);
    }
}
