package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.mask.MaskSelection;
import dev.obr.compressor.mask.Scores;
import dev.obr.compressor.quantizer.WeightGrid;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** What must hold for every layer, whatever the numbers: against eliminations in double precision and the conditions of a minimum. */
class RestorationPropertiesTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();

    /** A layer up to its restoration. */
    private record Case(Matrix weight, Mask mask, DampedHessian hessian, WeightQuantizer quantizer) {
        static Case of(int rows, int cols, Pattern pattern, long seed) {
            LayerInput input = Layers.input(cols, seed);
            Matrix weight = Layers.weight(rows, cols, seed + 1);
            Mask mask = MaskSelection.select(Scores.of(weight, Scores.wanda(input.scalerRow())), pattern, 0.5);
            try (ThreadTeam alone = new ThreadTeam(1)) {
                return new Case(
                        weight,
                        mask,
                        DampedHessian.of(input.hessian(), 0.01),
                        WeightQuantizer.fit(weight, WeightGrid.perRow(4, true, false), alone));
            }
        }

        Matrix restored(double alpha, boolean iterative) {
            Matrix pruned = weight.copy();
            for (int i = 0; i < pruned.values().length; i++) {
                pruned.values()[i] = mask.kept()[i] ? 0 : pruned.values()[i];
            }
            try (ThreadTeam team = new ThreadTeam(1)) {
                Restoration restoration = iterative
                        ? new IterativeRestoration(ALGEBRA, team, hessian)
                        : new FactoredRestoration(new RowwiseRestoration(ALGEBRA, team), hessian);
                Matrix product = new TiledProducts(ALGEBRA, team).multiply(pruned, hessian.matrix());
                return restoration.restore(weight, product, mask, quantizer, new ColumnSplit(alpha, AlphaRule.COLUMN));
            }
        }

        /** {@code (v H)_c} of the change v of a row. */
        double gradient(Matrix changed, int row, int col) {
            double sum = 0;
            for (int c = 0; c < weight.cols(); c++) {
                sum += ((double) changed.at(row, c) - weight.at(row, c))
                        * hessian.matrix().at(c, col);
            }
            return sum;
        }
    }

    /** After the first stage nothing is gained by moving a kept weight: the gradient is zero there. */
    @Property(tries = 12, seed = "1")
    void theFirstStageIsAMinimum(
            @ForAll Pattern pattern,
            @ForAll @IntRange(min = 9, max = 70) int cols,
            @ForAll @IntRange(max = 1000) int seed) {
        Case layer = Case.of(3, cols, pattern, seed);
        Matrix restored = layer.restored(1, false);
        for (int r = 0; r < 3; r++) {
            boolean all = layer.mask.keptInRow(r) == cols;
            double scale = 0;
            for (int c = 0; c < cols; c++) {
                scale = Math.max(scale, Math.abs(layer.gradient(restored, r, c)));
            }
            for (int c = 0; c < cols; c++) {
                if (layer.mask.keeps(r, c)) {
                    assertThat(layer.gradient(restored, r, c)).isCloseTo(0, within(1e-5 * Math.max(scale, 1)));
                } else {
                    assertThat(restored.at(r, c)).isZero();
                }
                if (all) {
                    assertThat(restored.at(r, c)).isEqualTo(layer.weight.at(r, c));
                }
            }
        }
    }

    /** The loss of the first stage is {@code ½ w_E (G_EE)⁻¹ w_Eᵀ}, G = H⁻¹: computed here by eliminating the kept columns in double precision. */
    @Property(tries = 6, seed = "1")
    void theFirstStageHasTheClosedFormsLoss(@ForAll @IntRange(max = 1000) int seed) {
        int cols = 24;
        Case layer = Case.of(2, cols, Pattern.UNSTRUCTURED, seed);
        Matrix restored = layer.restored(1, false);
        for (int r = 0; r < 2; r++) {
            double loss = 0;
            for (int c = 0; c < cols; c++) {
                loss += 0.5 * (restored.at(r, c) - (double) layer.weight.at(r, c)) * layer.gradient(restored, r, c);
            }
            double[][] schur = new double[cols][cols]; // (G_EE)⁻¹ = H_EE - H_ER H_RR⁻¹ H_RE
            for (int i = 0; i < cols; i++) {
                for (int j = 0; j < cols; j++) {
                    schur[i][j] = layer.hessian.matrix().at(i, j);
                }
            }
            for (int k = 0; k < cols; k++) {
                if (layer.mask.keeps(r, k)) {
                    double[] pivot = schur[k].clone();
                    for (int i = 0; i < cols; i++) {
                        double factor = schur[i][k] / pivot[k];
                        for (int j = 0; j < cols; j++) {
                            schur[i][j] -= factor * pivot[j];
                        }
                    }
                }
            }
            double expected = 0;
            for (int i = 0; i < cols; i++) {
                for (int j = 0; j < cols; j++) {
                    if (!layer.mask.keeps(r, i) && !layer.mask.keeps(r, j)) {
                        expected += 0.5 * layer.weight.at(r, i) * schur[i][j] * layer.weight.at(r, j);
                    }
                }
            }
            assertThat(loss).isCloseTo(expected, within(1e-5 * expected));
        }
    }

    /** The second stage leaves the first columns alone and makes up for their rounding: the gradient of the later ones is zero once the first are rounded. */
    @Property(tries = 8, seed = "1")
    void theSecondStageIsAMinimum(
            @ForAll Pattern pattern,
            @ForAll @IntRange(min = 9, max = 70) int cols,
            @ForAll @IntRange(max = 1000) int seed) {
        Case layer = Case.of(2, cols, pattern, seed);
        Matrix first = layer.restored(1, false);
        Matrix both = layer.restored(0.5, false);
        int t = cols / 2;
        Matrix rounded = both.copy();
        for (int r = 0; r < 2; r++) {
            if (layer.mask.keptInRow(r) == cols) {
                continue; // dense rows are not restored
            }
            for (int c = 0; c < t; c++) {
                assertThat(both.at(r, c)).isEqualTo(first.at(r, c));
                if (layer.mask.keeps(r, c)) {
                    rounded.set(r, c, layer.quantizer.round(r, c, both.at(r, c)));
                }
            }
            for (int c = t; c < cols; c++) {
                if (layer.mask.keeps(r, c)) {
                    assertThat(layer.gradient(rounded, r, c)).isCloseTo(0, within(2e-4));
                }
            }
        }
    }

    /** The order of columns is no matter to the first stage. */
    @Test
    void permutedColumnsGivePermutedWeights() {
        int cols = 40;
        LayerInput input = Layers.input(cols, 5);
        Matrix weight = Layers.weight(4, cols, 6);
        ColumnOrder order = ColumnOrder.of(
                new java.util.Random(7).ints(0, cols).distinct().limit(cols).toArray());
        Mask mask = MaskSelection.select(Scores.of(weight, Scores.wanda(input.scalerRow())), Pattern.UNSTRUCTURED, 0.5);
        Matrix kept = Matrix.zeros(4, cols);
        for (int i = 0; i < kept.values().length; i++) {
            kept.values()[i] = mask.kept()[i] ? 1 : 0;
        }
        Matrix keptThere = order.columnsOf(kept);
        boolean[] there = new boolean[4 * cols];
        for (int i = 0; i < there.length; i++) {
            there[i] = keptThere.values()[i] == 1;
        }
        Matrix scaled = order.bothOf(input.hessian());
        try (ThreadTeam alone = new ThreadTeam(1)) {
            WeightGrid grid = WeightGrid.perRow(4, true, false);
            Matrix here = new Case(
                            weight,
                            mask,
                            DampedHessian.of(input.hessian(), 0.01),
                            WeightQuantizer.fit(weight, grid, alone))
                    .restored(1, false);
            Matrix moved = order.columnsOf(weight);
            Matrix permuted = new Case(
                            moved,
                            new Mask(4, cols, there),
                            DampedHessian.of(scaled, 0.01),
                            WeightQuantizer.fit(moved, grid, alone))
                    .restored(1, false);
            assertThat(order.restore(permuted).values()).containsExactly(here.values(), within(1e-5f));
        }
    }

    /** Conjugate gradients and factorisations agree, and the certificate bounds the difference. */
    @Property(tries = 6, seed = "1")
    void conjugateGradientsAgreeWithFactors(@ForAll Pattern pattern, @ForAll @IntRange(max = 1000) int seed) {
        Case layer = Case.of(5, 130, pattern, seed);
        Matrix exact = layer.restored(1, false);
        Matrix iterated = layer.restored(1, true);
        double exactLoss = 0;
        double iteratedLoss = 0;
        for (int r = 0; r < 5; r++) {
            for (int c = 0; c < 130; c++) {
                double w = layer.weight.at(r, c);
                exactLoss += 0.5 * (exact.at(r, c) - w) * layer.gradient(exact, r, c);
                iteratedLoss += 0.5 * (iterated.at(r, c) - w) * layer.gradient(iterated, r, c);
            }
        }
        assertThat(iteratedLoss).isBetween(exactLoss * (1 - 1e-5), exactLoss * (1 + 1.1e-4) + 1e-9);
    }

    /** Where kept weights are spread evenly, half the columns hold half the kept ones, and both rules split alike. */
    @Test
    void bothAlphaRulesAgreeOnEvenMasks() {
        LayerInput input = Layers.input(64, 3);
        Matrix weight = Layers.weight(6, 64, 4);
        for (Method method : new Method[] {Method.OBR_RTN, Method.OBR_GPTQ}) {
            CompressionOptions options =
                    CompressionOptions.defaults().withMethod(method).withPattern(Pattern.TWO_OF_FOUR);
            byte[] byColumn = compress(ALGEBRA, 1, weight, input, options).codes();
            assertThat(compress(ALGEBRA, 1, weight, input, options.withAlphaRule(AlphaRule.KEPT))
                            .codes())
                    .isEqualTo(byColumn);
            CompressionOptions uneven =
                    options.withPattern(Pattern.UNSTRUCTURED).withSparsity(0.7);
            CompressedLayer kept = compress(ALGEBRA, 1, weight, input, uneven.withAlphaRule(AlphaRule.KEPT));
            assertThat(kept.codes())
                    .isNotEqualTo(compress(ALGEBRA, 1, weight, input, uneven).codes());
            assertThat(kept.loss()).isLessThan(kept.lossBefore());
        }
    }

    /** Without damping there is nothing to certify by. */
    @Test
    void conjugateGradientsNeedDamping() {
        CompressionOptions options =
                CompressionOptions.defaults().withSolver(Solver.PCG).withPercdamp(0);
        assertThatExceptionOfType(ObrException.class)
                .isThrownBy(() -> compress(ALGEBRA, 1, Layers.weight(2, 8, 1), Layers.input(8, 1), options))
                .withMessageContaining("percdamp is 0");
    }

    /** What a user sees: codes in range, zeros where pruned, OBR better than pruning and rounding, any threads and either linear algebra. */
    @Property(tries = 30, seed = "1")
    void layersAreWhole(
            @ForAll Pattern pattern,
            @ForAll Method method,
            @ForAll Solver solver,
            @ForAll boolean symmetricWhereBothAre,
            @ForAll @IntRange(min = 1, max = 75) int cols,
            @ForAll @IntRange(max = 1000) int seed) {
        boolean symmetric = symmetricWhereBothAre || method.symmetricOnly();
        LayerInput input = Layers.input(cols, seed);
        Matrix weight = Layers.weight(7, cols, seed);
        CompressionOptions options = CompressionOptions.defaults()
                .withMethod(method)
                .withPattern(pattern)
                .withSymmetric(symmetric)
                .withSolver(solver)
                .withBlockSize(16);
        CompressedLayer layer = compress(ALGEBRA, 1, weight, input, options);
        int lowest = symmetric ? -8 : 0;
        for (int r = 0; r < 7; r++) {
            for (int c = 0; c < cols; c++) {
                byte code = layer.codes()[r * cols + c];
                assertThat((int) code).isBetween(lowest, lowest + 15);
                assertThat(layer.dequantized().at(r, c)).isEqualTo(layer.scale()[r] * (code - layer.zero()[r]) + 0f);
                if (!layer.mask().keeps(r, c)) {
                    assertThat(layer.dequantized().at(r, c)).isZero();
                }
            }
        }
        CompressedLayer again = compress(ALGEBRA, 3, weight, input, options);
        assertThat(again.codes()).isEqualTo(layer.codes());
        assertThat(again.loss()).isEqualTo(layer.loss());
        CompressedLayer plain = compress(new JavaLinearAlgebra(), 2, weight, input, options);
        assertThat(plain.loss())
                .isCloseTo(layer.loss(), within(0.1 * layer.loss() + 1e-6)); // near-ties may round apart
        if (method == Method.OBR_RTN && cols > 30 && pattern != Pattern.DENSE) {
            assertThat(layer.loss()).isLessThan(layer.lossBefore());
        }
    }

    private static CompressedLayer compress(
            LinearAlgebra algebra, int threads, Matrix weight, LayerInput input, CompressionOptions options) {
        try (ThreadTeam team = new ThreadTeam(threads)) {
            return new LayerCompressor(algebra, team).compress("layer", weight, input, options);
        }
    }
}
