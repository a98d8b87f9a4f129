package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The target against what defines it: its outputs on the disturbed inputs, by plain loops in double precision. */
class ResidualTargetTest {
    private static final int COLS = 12;
    private static final int OUTPUTS = 5;
    private static final int SEQUENCES = 3;
    private static final int TOKENS = 20;
    private static final double PERCDAMP = 0.01;

    private final Random random = new Random(1);
    private final ThreadTeam team = new ThreadTeam(2);
    private final Matrix weight = random(OUTPUTS, COLS, 1);
    private final Matrix x = random(SEQUENCES * TOKENS, COLS, 1);
    private final Matrix dense = plus(x, random(x.rows(), COLS, 0.3f));
    private final Matrix error = random(x.rows(), OUTPUTS, 0.5f);

    @AfterEach
    void close() {
        team.close();
    }

    /** The gradient of what is minimised is zero. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isTheMinimum(boolean writesResidual) {
        LayerInput input = input(x);
        Matrix target = target(dense, writesResidual).of(weight, input, PERCDAMP);
        double[][] gradient = gradient(target, input, writesResidual);
        double[][] before = gradient(weight, input, writesResidual);
        for (int o = 0; o < OUTPUTS; o++) {
            for (int c = 0; c < COLS; c++) {
                assertThat(gradient[o][c]).isCloseTo(0, within(1e-3));
            }
        }
        assertThat(Math.abs(before[0][0])).isGreaterThan(0.05);
    }

    @Test
    void isTheWeightWhereNothingIsDisturbed() {
        assertThat(target(x, false).of(weight, input(x), PERCDAMP).values()).isEqualTo(weight.values());
    }

    @Test
    void leavesColumnsThatSawNoInput() {
        for (int t = 0; t < x.rows(); t++) {
            x.set(t, 3, 0);
        }
        Matrix target = target(dense, true).of(weight, input(x), PERCDAMP);
        for (int o = 0; o < OUTPUTS; o++) {
            assertThat(target.at(o, 3)).isEqualTo(weight.at(o, 3));
        }
    }

    @Test
    void namesWhatIsNotFinite() {
        dense.set(2, 7, Float.NaN);
        assertThatThrownBy(() -> target(dense, false))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("the input of a layer, not compressed, has NaN at [2, 7]");
    }

    private LayerInput input(Matrix inputs) {
        LayerStatistics statistics =
                new LayerStatistics("the input of a layer", COLS, new TiledProducts(new JavaLinearAlgebra(), team));
        for (int s = 0; s < SEQUENCES; s++) {
            statistics.add(rows(inputs, s), TOKENS);
            statistics.endSequence();
        }
        return statistics.toInput(ScalerVariant.QUAROT);
    }

    private ResidualTarget target(Matrix undisturbed, boolean writesResidual) {
        ResidualTarget target = new ResidualTarget(
                "the input of a layer", COLS, writesResidual ? OUTPUTS : 0, new JavaLinearAlgebra(), team);
        for (int s = 0; s < SEQUENCES; s++) {
            target.add(rows(x, s), rows(undisturbed, s), rows(error, s), TOKENS);
            target.endSequence();
        }
        return target;
    }

    /** Of {@code 1/n |X Vᵀ - (Xd Wᵀ + E)|² + d/2 |V - W|²}, n sequences. */
    private double[][] gradient(Matrix v, LayerInput input, boolean writesResidual) {
        double damp = 0;
        for (int c = 0; c < COLS; c++) {
            damp += PERCDAMP * input.hessian().at(c, c) / COLS;
        }
        double[][] gradient = new double[OUTPUTS][COLS];
        for (int o = 0; o < OUTPUTS; o++) {
            for (int t = 0; t < x.rows(); t++) {
                double off = writesResidual ? -error.at(t, o) : 0;
                for (int c = 0; c < COLS; c++) {
                    off += (double) x.at(t, c) * v.at(o, c) - (double) dense.at(t, c) * weight.at(o, c);
                }
                for (int c = 0; c < COLS; c++) {
                    gradient[o][c] += 2.0 / SEQUENCES * off * x.at(t, c);
                }
            }
            for (int c = 0; c < COLS; c++) {
                gradient[o][c] += damp * (v.at(o, c) - weight.at(o, c));
            }
        }
        return gradient;
    }

    private static float[] rows(Matrix matrix, int sequence) {
        float[] rows = new float[TOKENS * matrix.cols()];
        System.arraycopy(matrix.values(), sequence * rows.length, rows, 0, rows.length);
        return rows;
    }

    private Matrix random(int rows, int cols, float scale) {
        Matrix matrix = Matrix.zeros(rows, cols);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = scale * (float) random.nextGaussian();
        }
        return matrix;
    }

    private static Matrix plus(Matrix a, Matrix b) {
        Matrix sum = a.copy();
        for (int i = 0; i < sum.values().length; i++) {
            sum.values()[i] += b.values()[i];
        }
        return sum;
    }
}
