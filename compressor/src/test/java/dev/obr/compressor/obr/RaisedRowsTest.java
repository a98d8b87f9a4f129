package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.compressor.mask.MaskMetric;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Hessian that is positive definite but for two of its columns together: rows that keep both take more damping, the others are what they are without them. */
@Tag("stand-in-driver")
class RaisedRowsTest {
    private static final int ROWS = 6;
    private static final int COLS = 16;
    private static final CompressionOptions OPTIONS =
            CompressionOptions.defaults().withMethod(Method.OBR_RTN).withMetric(MaskMetric.MAGNITUDE);

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    @Test
    void onTheCpu() {
        check(new JavaLinearAlgebra());
    }

    @Test
    void onADevice() {
        try (CudaLinearAlgebra algebra = StandInAlgebra.open(new JavaLinearAlgebra(), 64 << 20)) {
            check(algebra);
        }
        assertThat(StandInDriver.shared().live()).isZero();
    }

    private static void check(LinearAlgebra algebra) {
        Matrix weight = Layers.weight(ROWS, COLS, 9);
        for (int row = 0; row < ROWS; row++) {
            weight.set(row, 3, row % 3 == 1 ? 4 : 0.001f); // rows 1 and 4 keep both
            weight.set(row, 11, 5);
        }
        CompressedLayer layer = compress(algebra, weight, OPTIONS);
        assertThat(layer.notes())
                .containsExactly(
                        "percdamp raised from 0.01 to 0.1 for 2 of 6 rows (1, 4): the Hessian of what they keep is not positive definite");
        for (int row = 0; row < ROWS; row++) {
            Matrix alone = new Matrix(1, COLS, Arrays.copyOfRange(weight.values(), row * COLS, (row + 1) * COLS));
            CompressedLayer expected =
                    compress(algebra, alone, OPTIONS.withPercdamp(row % 3 == 1 ? 0.1 : OPTIONS.percdamp()));
            assertThat(expected.notes()).isEmpty();
            assertThat(Arrays.copyOfRange(layer.codes(), row * COLS, (row + 1) * COLS))
                    .as("row %d", row)
                    .isEqualTo(expected.codes());
        }
    }

    /** Where no row has a factor, it is the layer whose damping rises, once for all. */
    @Test
    void allRowsAreTheLayer() {
        Matrix weight = Layers.weight(ROWS, COLS, 9);
        for (int row = 0; row < ROWS; row++) {
            weight.set(row, 3, 4);
            weight.set(row, 11, 5);
        }
        assertThat(compress(new JavaLinearAlgebra(), weight, OPTIONS).notes())
                .containsExactly("percdamp raised from 0.01 to 0.1: the Hessian is not positive definite");
    }

    private static CompressedLayer compress(LinearAlgebra algebra, Matrix weight, CompressionOptions options) {
        try (ThreadTeam team = new ThreadTeam(2)) {
            return new LayerCompressor(algebra, team).compress("layer", weight, input(), options);
        }
    }

    /** The identity, and columns 3 and 11 that go together more than they can: an eigenvalue of -0.05. */
    private static LayerInput input() {
        Matrix h = Matrix.zeros(COLS, COLS);
        for (int c = 0; c < COLS; c++) {
            h.set(c, c, 1);
            for (int other = 0; other < c; other++) {
                h.set(c, other, 0.02f);
                h.set(other, c, 0.02f);
            }
        }
        h.set(3, 11, 1.05f);
        h.set(11, 3, 1.05f);
        float[] norms = new float[COLS];
        Arrays.fill(norms, 1);
        return new LayerInput("the input of a layer", h, norms);
    }
}
