package dev.obr.compressor.rotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.random.TorchSigns;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.ModelConfig;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rotation is the one of the published code, to its rounding. */
class RotationGoldenTest {
    static List<RotationCase> hadamards() {
        return RotationCase.ofKind("hadamard");
    }

    static List<RotationCase> randomHadamards() {
        return RotationCase.ofKind("random_hadamard");
    }

    static List<RotationCase> onlineHadamards() {
        return RotationCase.ofKind("online_hadamard");
    }

    @ParameterizedTest
    @MethodSource("hadamards")
    void transforms(RotationCase golden) {
        HadamardTransform transform = HadamardTransform.of(golden.number("n")).orElseThrow();
        assertThat(transform.factor().order()).isEqualTo(golden.number("K"));
        Matrix x = golden.array("x");
        for (int r = 0; r < x.rows(); r++) {
            transform.apply(x.values(), r * x.cols());
        }
        isClose(x, golden.array("y"), golden.tolerance());
    }

    @ParameterizedTest
    @MethodSource("randomHadamards")
    void randomTransforms(RotationCase golden) {
        int n = golden.number("n");
        long seed = golden.number("torch_seed");
        int[] signs = TorchSigns.draw(seed, n);
        RandomHadamard r1 = new RandomHadamard(HadamardTransform.of(n).orElseThrow(), seed);
        Matrix x;
        Matrix expected;
        if (golden.json().get("arrays").has("Q")) {
            x = Matrix.zeros(n, n);
            for (int i = 0; i < n; i++) {
                x.set(i, i, 1);
            }
            expected = golden.array("Q");
        } else {
            x = golden.array("x");
            expected = golden.array("y");
        }
        assertThat(signs).isEqualTo(integers(golden.array("sign")));
        for (int r = 0; r < x.rows(); r++) {
            double[] row = new double[n];
            for (int c = 0; c < n; c++) {
                row[c] = x.at(r, c);
            }
            r1.apply(row, 0, 1);
            for (int c = 0; c < n; c++) {
                x.set(r, c, (float) row[c]);
            }
        }
        isClose(x, expected, golden.tolerance());
    }

    @ParameterizedTest
    @MethodSource("onlineHadamards")
    void acrossHeads(RotationCase golden) {
        HadamardTransform heads = HadamardTransform.of(golden.number("heads")).orElseThrow();
        Matrix x = golden.array("x");
        for (int r = 0; r < x.rows(); r++) {
            heads.applyAcross(x.values(), r * x.cols(), golden.number("head_dim"));
        }
        isClose(x, golden.array("y"), golden.tolerance());
    }

    /** The golden weights are not rotated by R1, so o and down are compared after undoing it. */
    @Test
    void weights() {
        RotationCase golden = RotationCase.ofKind("weight_rotation").getFirst();
        int hidden = golden.array("v").cols();
        ModelConfig config = new ModelConfig(
                "llama",
                hidden,
                golden.number("intermediate"),
                1,
                golden.number("heads"),
                golden.number("kv_heads"),
                golden.number("head_dim"),
                8,
                16,
                1e-5f,
                10000,
                null,
                false,
                -1,
                List.of());
        Rotation rotation = Rotation.quarot(config, 3, false);
        assertThat(rotation.skipped()).isEmpty();
        float[] ones = new float[hidden];
        Arrays.fill(ones, 1);
        Matrix v = rotation.linear(Projection.VALUE, golden.array("v"), ones);
        Matrix o = rotation.linear(Projection.OUTPUT, golden.array("o"), null);
        Matrix down = rotation.linear(Projection.DOWN, golden.array("down"), null);

        int[] signs = TorchSigns.draw(3, hidden);
        HadamardTransform width = HadamardTransform.of(hidden).orElseThrow();
        for (int r = 0; r < v.rows(); r++) {
            width.applyInverse(v.values(), r * hidden);
            for (int c = 0; c < hidden; c++) {
                v.set(r, c, v.at(r, c) * signs[c]);
            }
        }
        undoFromLeft(o, width, signs);
        undoFromLeft(down, width, signs);
        isClose(v, golden.array("v_rot"), golden.tolerance());
        isClose(o, golden.array("o_rot"), golden.tolerance());
        isClose(down, golden.array("down_rot"), golden.tolerance());
    }

    /** W <- R1 W: the inverse of W <- R1ᵀ W. */
    private static void undoFromLeft(Matrix w, HadamardTransform width, int[] signs) {
        for (int c = 0; c < w.cols(); c++) {
            float[] column = new float[w.rows()];
            for (int r = 0; r < w.rows(); r++) {
                column[r] = w.at(r, c);
            }
            width.applyInverse(column, 0);
            for (int r = 0; r < w.rows(); r++) {
                w.set(r, c, column[r] * signs[r]);
            }
        }
    }

    private static int[] integers(Matrix values) {
        int[] integers = new int[values.values().length];
        for (int i = 0; i < integers.length; i++) {
            integers[i] = (int) values.values()[i];
        }
        return integers;
    }

    private static void isClose(Matrix actual, Matrix expected, double tolerance) {
        assertThat(actual.values()).hasSameSizeAs(expected.values());
        for (int i = 0; i < expected.values().length; i++) {
            assertThat((double) actual.values()[i]).isCloseTo(expected.values()[i], within(tolerance));
        }
    }
}
