package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.mask.MaskSelection;
import dev.obr.compressor.mask.Scores;
import dev.obr.compressor.quantizer.WeightGrid;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Codes that are searched on a device, through the stand-ins for NVIDIA's driver and libraries, are those of the CPU. */
@Tag("stand-in-driver")
class BatchedRoundingTest {
    private static final double PERCDAMP = 0.01;
    private static final WeightGrid GRID = WeightGrid.perRow(4, true, false);

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(StandInDriver.shared().live()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "5, 24, UNSTRUCTURED, 67108864",
        "3, 33, UNSTRUCTURED, 67108864",
        "4, 136, TWO_OF_FOUR, 67108864",
        "7, 48, FOUR_OF_EIGHT, 67108864",
        "2, 48, PAIRS_4_OF_8, 67108864",
        "6, 64, UNSTRUCTURED, 160000"
    })
    void codesAreThoseOfTheCpu(int rows, int cols, Pattern pattern, long memory) {
        LayerInput input = Layers.input(cols, rows);
        Matrix weight = Layers.weight(rows, cols, cols);
        Mask mask = MaskSelection.select(Scores.of(weight, Scores.wanda(input.scalerRow())), pattern, 0.5);
        compare(weight, mask, input.hessian(), memory);
    }

    /** Rows of every length, those that keep all or nothing among them. */
    @Test
    void rowsOfDifferentLength() {
        int cols = 20;
        int rows = cols + 1;
        Mask mask = Mask.dense(rows, cols);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                mask.kept()[r * cols + c] = (c * 7 + r) % cols < r;
            }
        }
        compare(Layers.weight(rows, cols, 4), mask, Layers.input(cols, 3).hessian(), 64 << 20);
    }

    /** All rows of one factor, which the host finds. */
    @Test
    void dense() {
        compare(Layers.weight(3, 20, 4), Mask.dense(3, 20), Layers.input(20, 3).hessian(), 64 << 20);
    }

    private static void compare(Matrix weight, Mask mask, Matrix hessian, long memory) {
        LinearAlgebra host = new JavaLinearAlgebra();
        CodeSearch.Codes expected = search(host, weight, mask, hessian);
        CodeSearch.Codes actual;
        try (CudaLinearAlgebra algebra = StandInAlgebra.open(host, memory)) {
            actual = search(algebra, weight, mask, hessian);
        }
        float[] base = quantizer(weight).scale();
        ExactCodeSearch exact = ExactCodeSearch.of(hessian, PERCDAMP, GRID.lowest(), GRID.highest());
        int cols = weight.cols();
        int tied = 0;
        for (int r = 0; r < weight.rows(); r++) {
            ExactCodeSearch.Row row = exact.of(weight, mask, r, base[r]);
            if (row.tied()) {
                tied++;
                continue;
            }
            assertThat(Arrays.copyOfRange(expected.codes(), r * cols, (r + 1) * cols))
                    .as("row %d on the host", r)
                    .isEqualTo(row.codes());
            assertThat(Arrays.copyOfRange(actual.codes(), r * cols, (r + 1) * cols))
                    .as("row %d", r)
                    .isEqualTo(row.codes());
            assertThat(actual.scale()[r] / expected.scale()[r]).isBetween(1 - 1e-5f, 1 + 1e-5f);
        }
        assertThat(tied).isLessThan(Math.max(2, weight.rows() / 2));
    }

    private static CodeSearch.Codes search(LinearAlgebra algebra, Matrix weight, Mask mask, Matrix hessian) {
        try (ThreadTeam team = new ThreadTeam(1)) {
            return new CodeSearch(
                            algebra,
                            team,
                            new TiledProducts(algebra, team),
                            DampedHessian.of(hessian, PERCDAMP).matrix(),
                            ScaleGrid.of(GRID))
                    .of(weight, mask, quantizer(weight));
        }
    }

    private static WeightQuantizer quantizer(Matrix weight) {
        try (ThreadTeam team = new ThreadTeam(1)) {
            return WeightQuantizer.fit(weight, GRID, team);
        }
    }

    /** As on the host, whoever compresses the layer raises its damping. */
    @Test
    void aRowWithoutAFactorIsTheLayers() {
        int cols = 12;
        Matrix weight = Layers.weight(4, cols, 1);
        Matrix h = DampedHessian.of(Layers.input(cols, 2).hessian(), PERCDAMP).matrix();
        h.set(5, 5, -1);
        Mask mask = Mask.dense(4, cols);
        for (int r = 0; r < 4; r++) {
            mask.kept()[r * cols + 3] = false;
            mask.kept()[r * cols + 5] = r == 2;
        }
        LinearAlgebra host = new JavaLinearAlgebra();
        try (ThreadTeam team = new ThreadTeam(1);
                CudaLinearAlgebra device = StandInAlgebra.open(host, 64 << 20)) {
            for (LinearAlgebra algebra : new LinearAlgebra[] {host, device}) {
                CodeSearch search =
                        new CodeSearch(algebra, team, new TiledProducts(algebra, team), h, ScaleGrid.of(GRID));
                assertThatThrownBy(() -> search.of(weight, mask, quantizer(weight)))
                        .isInstanceOf(NotPositiveDefiniteException.class)
                        .hasMessage("the leading block of order 1 is not positive definite");
            }
        }
    }

    /** One that fits no memory is said so, with what can be done. */
    @Test
    void tooLittleMemoryIsAnError() {
        LayerInput input = Layers.input(64, 1);
        Matrix weight = Layers.weight(4, 64, 2);
        Mask mask = MaskSelection.select(Scores.of(weight, Scores.wanda(input.scalerRow())), Pattern.UNSTRUCTURED, 0.5);
        try (CudaLinearAlgebra device = StandInAlgebra.open(new JavaLinearAlgebra(), 66_000)) {
            assertThatThrownBy(() -> search(device, weight, mask, input.hessian()))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("no room for two systems of 32 unknowns out of 64 columns")
                    .hasMessageEndingWith("choose --device cpu");
        }
    }
}
