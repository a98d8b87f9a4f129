package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.obr.compressor.mask.AdmmSchedule;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole layers by obr-plus: every pattern at every width, and what has no weights or no inputs. */
class PlusLayersTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();
    private static final CompressionOptions OPTIONS =
            CompressionOptions.defaults().withMethod(Method.OBR_PLUS).withAdmm(AdmmSchedule.FAST);

    /** With a row of zeros and a column without inputs: patterns hold (packing checks them), no code alone can be better, and threads do not matter. */
    @Property(tries = 40, seed = "1", edgeCases = EdgeCasesMode.NONE)
    void layersAreWhole(
            @ForAll Pattern pattern,
            @ForAll @IntRange(min = 1, max = 70) int cols,
            @ForAll @IntRange(min = 2, max = 8) int bits,
            @ForAll @IntRange(max = 1000) int seed) {
        isWhole(pattern, cols, bits, seed);
    }

    @ParameterizedTest
    @EnumSource(Pattern.class)
    void theNarrowestLayersAreWhole(Pattern pattern) {
        for (int cols = 1; cols <= 9; cols++) {
            isWhole(pattern, cols, 4, 10 * cols);
        }
    }

    private static void isWhole(Pattern pattern, int cols, int bits, int seed) {
        int rows = 9;
        LayerInput input = withoutInput(Layers.input(cols, seed), seed % cols);
        Matrix weight = Layers.weight(rows, cols, seed);
        for (int c = 0; c < cols; c++) {
            weight.set(4, c, 0);
        }
        CompressionOptions options = OPTIONS.withPattern(pattern).withBits(bits);
        CompressedLayer layer = compress(1, weight, input, options);
        Packing.pack(
                pattern,
                bits <= 4 ? 4 : 8,
                rows,
                cols,
                layer.codes(),
                layer.mask().kept(),
                layer.scale());
        DampedHessian hessian = DampedHessian.of(input.hessian(), options.percdamp());
        Matrix alive = hessian.withoutDeadColumns(weight);
        for (int r = 0; r < rows; r++) {
            float scale = layer.scale()[r];
            assertThat(scale).isFinite().isNotZero();
            int pruned = (int) (cols * 0.5);
            if (pattern == Pattern.UNSTRUCTURED) {
                assertThat(layer.mask().keptInRow(r)).isEqualTo(cols - pruned);
            }
            for (int c = 0; c < cols; c++) {
                int code = layer.codes()[r * cols + c];
                assertThat(code).isBetween(-(1 << bits - 1), (1 << bits - 1) - 1);
                if (r == 4 || c == seed % cols) {
                    assertThat(code).isZero();
                }
                if (layer.mask().keeps(r, c)) {
                    double gradient = 0;
                    double size = 1e-12;
                    for (int j = 0; j < cols; j++) {
                        double term = ((double) layer.dequantized().at(r, j) - alive.at(r, j))
                                * hessian.matrix().at(j, c);
                        gradient += term;
                        size += Math.abs(term);
                    }
                    int lowest = -(1 << bits - 1);
                    double worst =
                            0; // of moving this code elsewhere: what the loss falls by, against what rounding could
                    // fake
                    for (int other = lowest; other < -lowest; other++) {
                        double d = (double) scale * (other - code);
                        double change =
                                2 * d * gradient + d * d * hessian.matrix().at(c, c);
                        worst = Math.min(worst, change / (Math.abs(d) * size));
                    }
                    assertThat(worst).isGreaterThan(-1e-5);
                }
            }
        }
        CompressedLayer again = compress(3, weight, input, options);
        assertThat(again.codes()).isEqualTo(layer.codes());
        assertThat(again.scale()).isEqualTo(layer.scale());
        assertThat(again.loss()).isEqualTo(layer.loss());
    }

    /** Wide enough for several blocks of columns, tiles of products and parts of rows. */
    @Test
    void threadsDoNotMatterToWideLayers() {
        LayerInput input = Layers.input(300, 5);
        Matrix weight = Layers.weight(270, 300, 6);
        CompressedLayer alone = compress(1, weight, input, OPTIONS.withPattern(Pattern.PAIRS_4_OF_8));
        CompressedLayer together = compress(2, weight, input, OPTIONS.withPattern(Pattern.PAIRS_4_OF_8));
        assertThat(together.codes()).isEqualTo(alone.codes());
        assertThat(together.scale()).isEqualTo(alone.scale());
        assertThat(alone.loss()).isLessThan(0.6 * alone.lossBefore());
        long mirrored = 0;
        for (float scale : alone.scale()) {
            mirrored += scale < 0 ? 1 : 0;
        }
        assertThat(mirrored)
                .isBetween(70L, 200L); // about half the rows use the longer negative side for positive weights
    }

    /** A longer search finds better masks; the dense layer needs none. */
    @Test
    void searchingLongerIsBetter() {
        LayerInput input = Layers.input(96, 8);
        Matrix weight = Layers.weight(40, 96, 9);
        double single = compress(2, weight, input, OPTIONS.withAdmm(new AdmmSchedule(1, 1, 0.1, 0.1)))
                .loss();
        double fast = compress(2, weight, input, OPTIONS).loss();
        double thorough = compress(2, weight, input, OPTIONS.withAdmm(new AdmmSchedule(16, 15, 0.1, 3)))
                .loss();
        assertThat(fast).isLessThan(0.9 * single);
        assertThat(thorough).isLessThan(fast);
        CompressionOptions dense = OPTIONS.withPattern(Pattern.DENSE).withWeightClip(true);
        CompressedLayer plus = compress(2, weight, input, dense);
        assertThat(plus.mask().keptInRow(0)).isEqualTo(96);
        assertThat(plus.loss())
                .isLessThan(compress(2, weight, input, dense.withMethod(Method.GPTQ))
                        .loss());
    }

    @Test
    void asymmetricCodesAreRefused() {
        assertThatExceptionOfType(ObrException.class)
                .isThrownBy(() -> OPTIONS.withSymmetric(false))
                .withMessage(
                        "obr-plus rounds to symmetric codes only; choose those, or another method such as obr-gptq");
    }

    /** One eigenvalue is below zero: the first damping that lifts it above is taken. */
    @Test
    void dampingRisesUntilRowsCanBeFactored() {
        Matrix h = Matrix.zeros(8, 8);
        for (int r = 0; r < 8; r++) {
            for (int c = 0; c < 8; c++) {
                h.set(r, c, r == c ? 1 : -0.15f); // least eigenvalue 1 - 7 · 0.15 = -0.05
            }
        }
        LayerInput input = new LayerInput("indefinite", h, new float[8]);
        CompressedLayer layer = compress(
                1,
                Layers.weight(3, 8, 1),
                input,
                OPTIONS.withPattern(Pattern.DENSE).withPercdamp(1e-3));
        assertThat(layer.notes())
                .containsExactly(
                        "percdamp raised from 0.001 to 0.01: the Hessian is not positive definite",
                        "percdamp raised from 0.01 to 0.1: the Hessian is not positive definite");
    }

    private static LayerInput withoutInput(LayerInput input, int col) {
        Matrix h = input.hessian().copy();
        float[] scaler = input.scalerRow().clone();
        for (int c = 0; c < scaler.length; c++) {
            h.set(col, c, 0);
            h.set(c, col, 0);
        }
        scaler[col] = 0;
        return new LayerInput("a layer with a dead column", h, scaler);
    }

    private static CompressedLayer compress(int threads, Matrix weight, LayerInput input, CompressionOptions options) {
        try (ThreadTeam team = new ThreadTeam(threads)) {
            return new LayerCompressor(ALGEBRA, team).compress("layer", weight, input, options);
        }
    }
}
