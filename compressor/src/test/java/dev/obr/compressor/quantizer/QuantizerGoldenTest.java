package dev.obr.compressor.quantizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.Golden;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Matrix;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The quantisers against those of the published code. */
class QuantizerGoldenTest {
    static List<Golden> weights() {
        return Golden.ofKind("weight_quantizer");
    }

    static List<Golden> weightsInGroups() {
        return Golden.ofKind("weight_quantizer_groupwise");
    }

    static List<Golden> activations() {
        return Golden.ofKind("activation_quantizer");
    }

    static List<Golden> keys() {
        return Golden.ofKind("k_cache");
    }

    @ParameterizedTest
    @MethodSource
    void weights(Golden golden) {
        Matrix w = golden.matrix("W");
        WeightQuantizer quantizer = fit(golden, w, 0);
        float[] scale = golden.array("scale");
        float[] zero = golden.array("zero");
        for (int r = 0; r < w.rows(); r++) {
            assertThat(quantizer.scale()[r]).isCloseTo(scale[r], within(1e-5f * scale[r]));
            assertThat(quantizer.zero()[r] - zero[r]).isZero(); // the sign of a zero is no matter
        }
        checkRounded(quantizer, w, golden);
    }

    @ParameterizedTest
    @MethodSource
    void weightsInGroups(Golden golden) {
        Matrix w = golden.matrix("W");
        int size = golden.parameter("groupsize").asInt();
        WeightQuantizer quantizer = fit(golden, w, size);
        float[] scale = golden.array("scale_full");
        float[] zero = golden.array("zero_full");
        for (int i = 0; i < scale.length; i++) {
            assertThat(quantizer.scale()[i / size]).isCloseTo(scale[i], within(1e-5f * scale[i]));
            assertThat(quantizer.zero()[i / size]).isEqualTo(zero[i]);
        }
        checkRounded(quantizer, w, golden);
    }

    @ParameterizedTest
    @MethodSource
    void activations(Golden golden) {
        Matrix x = golden.matrix("x");
        quantizer(golden).apply(x.values(), 0, x.rows(), x.cols());
        checkNearly(x.values(), golden.array("y"), golden.tolerance("y_abs"), golden);
    }

    /** Keys are rotated by a Hadamard transform of each head first; one token's keys lie [head, token, width] apart. */
    @ParameterizedTest
    @MethodSource
    void keys(Golden golden) {
        float[] k = golden.array("k");
        int batches = 2;
        int heads = 2;
        int tokens = 6;
        int width = 32;
        float[] expected = golden.array("k_out");
        float[] actual = new float[k.length];
        for (int batch = 0; batch < batches; batch++) {
            for (int t = 0; t < tokens; t++) {
                float[] token = new float[heads * width];
                for (int head = 0; head < heads; head++) {
                    int from = ((batch * heads + head) * tokens + t) * width;
                    hadamard(k, from, token, head * width, width);
                }
                quantizer(golden).apply(token, 0, 1, token.length);
                for (int head = 0; head < heads; head++) {
                    int to = ((batch * heads + head) * tokens + t) * width;
                    System.arraycopy(token, head * width, actual, to, width);
                }
            }
        }
        checkNearly(actual, expected, golden.tolerance("abs"), golden);
    }

    private static void hadamard(float[] x, int from, float[] y, int to, int width) {
        for (int i = 0; i < width; i++) {
            double sum = 0;
            for (int j = 0; j < width; j++) {
                sum += (Integer.bitCount(i & j) % 2 == 0 ? 1 : -1) * (double) x[from + j];
            }
            y[to + i] = (float) (sum / Math.sqrt(width));
        }
    }

    private static WeightQuantizer fit(Golden golden, Matrix w, int groupSize) {
        WeightGrid grid = new WeightGrid(
                golden.parameter("bits").asInt(),
                golden.parameter("sym").asBoolean(),
                golden.parameter("mse_clip").asBoolean(),
                groupSize);
        try (ThreadTeam alone = new ThreadTeam(1)) {
            return WeightQuantizer.fit(w, grid, alone);
        }
    }

    private static ActivationQuantizer quantizer(Golden golden) {
        int size = golden.parameter("groupsize").asInt();
        return new ActivationQuantizer(
                golden.parameter("bits").asInt(), golden.parameter("sym").asBoolean(), Math.max(size, 0), (float)
                        golden.parameter("clip_ratio").asDouble());
    }

    private static void checkRounded(WeightQuantizer quantizer, Matrix w, Golden golden) {
        float[] y = golden.array("y");
        for (int r = 0; r < w.rows(); r++) {
            for (int c = 0; c < w.cols(); c++) {
                assertThat(quantizer.round(r, c, w.at(r, c))).isCloseTo(y[r * w.cols() + c], within(1e-5f));
            }
        }
    }

    private static void checkNearly(float[] actual, float[] expected, double tolerance, Golden golden) {
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            different += Math.abs(actual[i] - expected[i]) > tolerance ? 1 : 0;
        }
        assertThat((double) different / expected.length).isLessThanOrEqualTo(golden.tolerance("near_tie_fraction"));
    }
}
