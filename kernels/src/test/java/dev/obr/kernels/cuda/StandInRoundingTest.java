package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.StandInLibraries.BlasMutation;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.PrincipalSystems;
import dev.obr.kernels.linalg.PrincipalSystems.Rounded;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Batches of systems rounded along their factors on a GPU, through JCuda and the stand-ins. Truth is the recurrence in double precision, one candidate and one unknown at a time. */
@Tag("stand-in-driver")
class StandInRoundingTest {
    private static final StandInDriver.Options USUAL = StandInDriver.Options.USUAL;
    private static final int LOWEST = -8;
    private static final int HIGHEST = 7;

    /** Distance from the middle of two codes, in steps, within which a value may be rounded either way. */
    private static final double NEAR_TIE = 1e-4;

    @BeforeAll
    static void load() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
        StandInDriver.shared().configure(USUAL);
        StandInLibraries.shared();
    }

    @BeforeEach
    void asUsual() {
        StandInDriver.shared().configure(USUAL);
        StandInDriver.shared().fail(0, 0);
        StandInLibraries.shared().mutate(BlasMutation.NONE);
    }

    @AfterEach
    void nothingIsLeft() {
        StandInLibraries.shared().mutate(BlasMutation.NONE);
        assertThat(StandInDriver.shared().live()).isZero();
    }

    /** One unknown; below, at and above a block of 64; more than a block of the factor; systems of different order, down to one unknown, in a batch; more batches than fit at once. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 1, 50, 1",
        "5, 9, 3, 2, 50, 2",
        "63, 80, 1, 1, 2, 1",
        "64, 70, 2, 2, 50, 1",
        "65, 65, 4, 2, 10, 32",
        "130, 150, 3, 3, 64, 129",
        "270, 280, 1, 1, 3, 1"
    })
    void codesAreThoseOfTheRecurrence(int order, int columns, int systems, int batch, int candidates, int shorter) {
        try (CudaLinearAlgebra algebra = StandInSystemsTest.open()) {
            check(algebra, order, columns, systems, batch, candidates, shorter);
        }
    }

    /** @param shorter unknowns that a system has less than the one after it, as far as there are */
    private static void check(
            CudaLinearAlgebra algebra, int order, int columns, int systems, int batch, int candidates, int shorter) {
        Matrix h = StandInSystemsTest.positiveDefinite(columns, 7);
        Random random = new Random(order);
        int[][] unknowns = new int[systems][];
        float[][] b = new float[systems][];
        float[][] scales = new float[systems][candidates];
        for (int s = 0; s < systems; s++) {
            int own = Math.max(1, order - (systems - 1 - s) * shorter);
            unknowns[s] = StandInSystemsTest.unknowns(random, own, columns);
            b[s] = StandInSystemsTest.floats(random, own);
            for (int g = 0; g < candidates; g++) {
                scales[s][g] = (g % 2 == 0 ? 1 : -1) * (0.1f + 0.02f * g);
            }
        }
        try (PrincipalSystems solver = algebra.principalSystems(h)) {
            assertThat(solver.reserve(order, batch, candidates)).isEqualTo(batch);
            for (int from = 0; from < systems; from += batch) {
                int to = Math.min(from + batch, systems);
                PrincipalSystems.Batch now = solver.begin(Arrays.copyOfRange(unknowns, from, to));
                assertThat(now.factor()).containsOnly(0);
                List<Rounded> rounded = now.round(
                        Arrays.copyOfRange(b, from, to), Arrays.copyOfRange(scales, from, to), LOWEST, HIGHEST);
                assertThat(rounded).hasSize(to - from);
                for (int s = from; s < to; s++) {
                    check(h, unknowns[s], b[s], scales[s], rounded.get(s - from));
                }
            }
        }
    }

    private static void check(Matrix h, int[] p, float[] b, float[] scales, Rounded rounded) {
        double[][] l = factor(h, p);
        double[] y = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            double rest = b[i];
            for (int j = 0; j < i; j++) {
                rest -= l[i][j] * y[j];
            }
            y[i] = rest / l[i][i];
        }
        double least = Double.POSITIVE_INFINITY;
        for (float scale : scales) {
            least = Math.min(least, loss(l, y, scale, new byte[p.length], false));
        }
        assertThat(rounded.codes()).hasSize(p.length);
        double loss = loss(l, y, scales[rounded.candidate()], rounded.codes(), true);
        assertThat(rounded.loss()).isCloseTo(loss, within(1e-4 * loss + 1e-6));
        assertThat(loss)
                .isCloseTo(
                        least,
                        within(0.02 * least + 1e-6)); // a near-tie of another candidate may be rounded either way
    }

    /** {@code |y - Lᵀ q|²} of codes rounded one by one, or of those that were found, which must be the same but for near-ties. */
    private static double loss(double[][] l, double[] y, float scale, byte[] codes, boolean found) {
        double[] u = y.clone();
        double loss = 0;
        for (int i = u.length - 1; i >= 0; i--) {
            double x = u[i] / l[i][i];
            double place = x / scale;
            double code = Math.clamp(Math.rint(place), LOWEST, HIGHEST);
            if (found && codes[i] != code) {
                assertThat(Math.abs(place - (codes[i] + code) / 2))
                        .as("unknown %d, at %f", i, place)
                        .isLessThan(NEAR_TIE);
                code = codes[i];
            }
            double q = scale * code;
            loss += Math.pow(l[i][i] * (x - q), 2);
            for (int j = 0; j < i; j++) {
                u[j] -= l[i][j] * q;
            }
        }
        return loss;
    }

    private static double[][] factor(Matrix h, int[] p) {
        double[][] l = new double[p.length][p.length];
        for (int i = 0; i < p.length; i++) {
            for (int j = 0; j <= i; j++) {
                double rest = h.at(p[i], p[j]);
                for (int k = 0; k < j; k++) {
                    rest -= l[i][k] * l[j][k];
                }
                l[i][j] = i == j ? Math.sqrt(rest) : rest / l[j][j];
            }
        }
        return l;
    }

    @ParameterizedTest
    @EnumSource(
            value = BlasMutation.class,
            names = {
                "TRSM_OPERATION",
                "TRSM_TRIANGLE",
                "TRSM_ORDER",
                "BATCH_STRIDE",
                "BATCH_COUNT",
                "BATCH_POINTERS",
                "BATCH_LEADING_DIMENSION"
            })
    void aWrongArgumentIsFound(BlasMutation mutation) {
        StandInLibraries.shared().mutate(mutation);
        CudaLinearAlgebra algebra = StandInSystemsTest.open();
        try {
            assertThatThrownBy(() -> check(algebra, 130, 150, 2, 2, 4, 2))
                    .isInstanceOfAny(AssertionError.class, ObrException.class, IllegalStateException.class);
        } finally {
            StandInSystemsTest.closeQuietly(algebra);
        }
    }

    /** Two batches of systems of 64 unknowns out of 64 columns take 2 x 32 KB each, of which the values of 50 scales are 13. */
    @Test
    void batchesAreAsLargeAsTheMemory() {
        Matrix h = StandInSystemsTest.positiveDefinite(64, 5);
        StandInDriver.shared().configure(USUAL.withMemory(800 << 10));
        try (CudaLinearAlgebra algebra = StandInSystemsTest.open();
                PrincipalSystems systems = algebra.principalSystems(h)) {
            int count = systems.reserve(64, 1000, 50);
            assertThat(count).isBetween(8, 12).isLessThan(systems.reserve(64, 1000, 0));
            for (int allocation :
                    new int[] {17, 20, 30}) { // somebody else takes memory: of the first batch, of the second
                StandInDriver.shared().fail(allocation, 0);
                assertThat(systems.reserve(64, 1000, 50)).isEqualTo(count / 2);
            }
            StandInDriver.shared().configure(USUAL.withMemory(90 << 10));
            assertThatThrownBy(() -> systems.reserve(64, 1000, 50))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("no room for two systems of 64 unknowns out of 64 columns")
                    .hasMessageEndingWith("bytes of their matrix: choose --device cpu");
        }
    }

    /** Whatever fails, at whatever point, is an error that says what. */
    @ParameterizedTest
    @CsvSource({"1", "3", "5", "7", "8", "11"})
    void aFailedCallIsAnError(int work) {
        CudaLinearAlgebra algebra = StandInSystemsTest.open();
        StandInDriver.shared().fail(0, work);
        try {
            assertThatThrownBy(() -> check(algebra, 130, 150, 1, 1, 4, 1))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("GPU 0 (Stand-in GPU)");
        } finally {
            StandInSystemsTest.closeQuietly(algebra);
        }
    }

    @Test
    void whoeverMadeNoRoomForScalesIsToldSo() {
        Matrix h = StandInSystemsTest.positiveDefinite(4, 1);
        try (CudaLinearAlgebra algebra = StandInSystemsTest.open();
                PrincipalSystems systems = algebra.principalSystems(h)) {
            systems.reserve(4, 1, 0);
            PrincipalSystems.Batch batch = systems.begin(new int[][] {{0, 1}});
            batch.factor();
            assertThatThrownBy(() -> batch.round(new float[1][2], new float[1][1], LOWEST, HIGHEST))
                    .isInstanceOf(IllegalStateException.class);
        }
    }
}
