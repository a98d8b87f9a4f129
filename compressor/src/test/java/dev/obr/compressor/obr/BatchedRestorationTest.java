package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.mask.MaskSelection;
import dev.obr.compressor.mask.Scores;
import dev.obr.compressor.quantizer.WeightGrid;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows restored on a device, through the stand-ins for NVIDIA's driver and libraries, are those of the CPU. */
@Tag("stand-in-driver")
class BatchedRestorationTest {
    /** Values whose place on the grid is this close to the middle of two codes may be rounded either way. */
    private static final double NEAR_TIE = 1e-4;

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    @ParameterizedTest
    @CsvSource({
        "5, 24, UNSTRUCTURED, 0.5, COLUMN, 67108864",
        "3, 33, UNSTRUCTURED, 0.25, KEPT, 67108864",
        "4, 40, TWO_OF_FOUR, 0.5, COLUMN, 67108864",
        "7, 48, FOUR_OF_EIGHT, 0, COLUMN, 67108864",
        "2, 48, PAIRS_4_OF_8, 1, COLUMN, 67108864",
        "6, 64, UNSTRUCTURED, 0.5, COLUMN, 110000"
    })
    void rowsAreThoseOfTheCpu(int rows, int cols, Pattern pattern, double alpha, AlphaRule rule, long memory) {
        LayerInput input = Layers.input(cols, rows);
        Matrix weight = Layers.weight(rows, cols, cols);
        Mask mask = MaskSelection.select(Scores.of(weight, Scores.wanda(input.scalerRow())), pattern, 0.5);
        compare(weight, mask, DampedHessian.of(input.hessian(), 0.01), new ColumnSplit(alpha, rule), memory);
    }

    /** Rows of every length, those that keep all or nothing among them. */
    @Test
    void rowsOfDifferentLength() {
        int cols = 20;
        int rows = cols + 1;
        LayerInput input = Layers.input(cols, 3);
        Mask mask = Mask.dense(rows, cols);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                mask.kept()[r * cols + c] = (c * 7 + r) % cols < r;
            }
        }
        compare(
                Layers.weight(rows, cols, 4),
                mask,
                DampedHessian.of(input.hessian(), 0.01),
                new ColumnSplit(0.5, AlphaRule.COLUMN),
                64 << 20);
    }

    private static void compare(Matrix weight, Mask mask, DampedHessian hessian, ColumnSplit split, long memory) {
        JavaLinearAlgebra host = new JavaLinearAlgebra();
        Matrix pruned = weight.copy();
        for (int i = 0; i < pruned.values().length; i++) {
            pruned.values()[i] = mask.kept()[i] ? 0 : pruned.values()[i];
        }
        Matrix expected;
        WeightQuantizer quantizer;
        Matrix product;
        try (ThreadTeam team = new ThreadTeam(1)) {
            quantizer = WeightQuantizer.fit(weight, WeightGrid.perRow(4, true, false), team);
            product = new TiledProducts(host, team).multiply(pruned, hessian.matrix());
            expected = new FactoredRestoration(new RowwiseRestoration(host, team), hessian)
                    .restore(weight, product, mask, quantizer, split);
        }
        Matrix actual;
        try (CudaLinearAlgebra algebra = StandInAlgebra.open(host, memory)) {
            actual = new FactoredRestoration(new BatchedRestoration(algebra), hessian)
                    .restore(weight, product, mask, quantizer, split);
        }
        assertThat(StandInDriver.shared().live()).isZero();
        for (int r = 0; r < weight.rows(); r++) {
            float scale = quantizer.scale()[r];
            float[] values = Arrays.copyOfRange(expected.values(), r * weight.cols(), (r + 1) * weight.cols());
            boolean nearTie = false;
            for (float value : values) {
                double place = (double) value / scale;
                nearTie |= Math.abs(place - Math.floor(place) - 0.5) < NEAR_TIE;
            }
            for (int c = 0; c < weight.cols() && !nearTie; c++) {
                assertThat(actual.at(r, c)).isCloseTo(values[c], within(1e-5f * Math.max(1, Math.abs(values[c]))));
                assertThat(quantizer.code(r, c, actual.at(r, c))).isEqualTo(quantizer.code(r, c, values[c]));
            }
        }
    }
}
