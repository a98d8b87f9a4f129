package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.linalg.CoordinateDescent;
import dev.obr.kernels.linalg.DeviceAlgebra.SignedCodes;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Codes that a GPU improves, through JCuda and the stand-in, are those that the host improves. */
@Tag("stand-in-driver")
class StandInDescentTest {
    @BeforeAll
    static void load() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
        StandInDriver.shared().configure(StandInDriver.Options.USUAL);
        StandInLibraries.shared();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "7, 90", "3, 260"})
    void codesAreTheHosts(int rows, int cols) {
        Random random = new Random(cols);
        Matrix h = Matrix.zeros(cols, cols);
        for (int i = 0; i < cols; i++) {
            for (int j = 0; j < i; j++) {
                h.set(i, j, (random.nextFloat() - 0.5f) / 8);
                h.set(j, i, h.at(i, j));
            }
            h.set(i, i, 1 + random.nextFloat());
        }
        Matrix product = floats(rows, cols, random);
        Matrix gradient = floats(rows, cols, random);
        boolean[] kept = new boolean[rows * cols];
        byte[] codes = new byte[rows * cols];
        float[] scale = new float[rows];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = random.nextBoolean();
            codes[i] = (byte) (kept[i] ? random.nextInt(-8, 8) : 0);
        }
        for (int row = 0; row < rows; row++) {
            scale[row] = (0.1f + random.nextFloat()) * (row % 2 == 0 ? 1 : -1);
        }
        SignedCodes improved = new SignedCodes(codes.clone(), scale.clone(), -8, 7);
        try (CudaLinearAlgebra algebra = CudaLinearAlgebra.open(0, new JavaLinearAlgebra(), 0)) {
            algebra.descend(h, product, gradient, kept, improved);
        }
        int changed = 0;
        for (int row = 0; row < rows; row++) {
            int at = row * cols;
            byte[] own = Arrays.copyOfRange(codes, at, at + cols);
            double[] gradients = new double[cols];
            Arrays.setAll(gradients, c -> gradient.values()[at + c]);
            int[] columns = IntStream.range(0, cols).filter(c -> kept[at + c]).toArray();
            CoordinateDescent descent = new CoordinateDescent(h, -8, 7, own, scale[row], columns, gradients);
            descent.improve(product, row);
            assertThat(Arrays.copyOfRange(improved.codes(), at, at + cols)).isEqualTo(own);
            assertThat(improved.scale()[row]).isEqualTo(descent.scale());
            changed += Arrays.equals(own, Arrays.copyOfRange(codes, at, at + cols)) ? 0 : 1;
        }
        assertThat(changed).isEqualTo(cols == 1 ? changed : rows);
        assertThat(StandInDriver.shared().live()).isZero();
    }

    private static Matrix floats(int rows, int cols, Random random) {
        Matrix matrix = Matrix.zeros(rows, cols);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = (float) random.nextGaussian();
        }
        return matrix;
    }
}
