package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.StandInLibraries.BlasMutation;
import dev.obr.kernels.cuda.StandInLibraries.SolverMutation;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.GradientVectors;
import dev.obr.kernels.linalg.HeldLinear;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.PrincipalSystems;
import dev.obr.kernels.linalg.ProductSum;
import dev.obr.kernels.linalg.SweepGrid;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Batches of systems, sums and held matrices on a GPU, through JCuda and the stand-ins. Truth is H itself, in double precision: a solution is one if H times it is the right-hand side.
 *
 * <p>Each wrong argument that a stand-in can be told to make of a right one is found by the same comparisons.
 */
@Tag("stand-in-driver")
class StandInSystemsTest {
    private static final StandInDriver.Options USUAL = StandInDriver.Options.USUAL;

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
        StandInLibraries.shared().mutate(SolverMutation.NONE);
    }

    @AfterEach
    void nothingIsLeft() {
        StandInLibraries.shared().mutate(BlasMutation.NONE);
        StandInLibraries.shared().mutate(SolverMutation.NONE);
        assertThat(StandInDriver.shared().live()).isZero();
    }

    static CudaLinearAlgebra open() {
        return CudaLinearAlgebra.open(0, new JavaLinearAlgebra(), 0);
    }

    /** Orders below, at and above a block of 256; systems of different order in a batch; more batches than fit at once. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1, 1", "2, 5, 3, 2", "12, 24, 5, 2", "255, 270, 1, 1", "256, 300, 2, 2", "300, 320, 2, 1"})
    void solutionsSolve(int order, int columns, int systems, int batch) {
        try (CudaLinearAlgebra algebra = open()) {
            checkSolutions(algebra, order, columns, systems, batch);
        }
    }

    private static void checkSolutions(CudaLinearAlgebra algebra, int order, int columns, int systems, int batch) {
        Matrix h = positiveDefinite(columns, 7);
        Random random = new Random(order);
        int[][] unknowns = new int[systems][];
        Arrays.setAll(unknowns, s -> unknowns(random, s == systems - 1 ? order : Math.max(1, order - s), columns));
        try (PrincipalSystems solver = algebra.principalSystems(h)) {
            assertThat(solver.reserve(order, batch, 0)).isEqualTo(batch);
            PrincipalSystems.Batch next = solver.begin(part(unknowns, 0, batch));
            for (int from = 0; from < systems; from += batch) {
                PrincipalSystems.Batch now = next;
                if (from + batch < systems) {
                    next = solver.begin(part(unknowns, from + batch, batch)); // gathered while this one is solved
                }
                assertThat(now.factor()).containsOnly(0);
                check(h, now, part(unknowns, from, batch), random);
            }
        }
    }

    private static int[][] part(int[][] all, int from, int count) {
        return Arrays.copyOfRange(all, from, Math.min(from + count, all.length));
    }

    private static void check(Matrix h, PrincipalSystems.Batch batch, int[][] unknowns, Random random) {
        float[][] b = new float[unknowns.length][];
        Arrays.setAll(b, s -> floats(random, unknowns[s].length));
        float[][] x = batch.solve(b);
        int[] leading = new int[unknowns.length];
        Arrays.setAll(leading, s -> (unknowns[s].length + 1) / 2);
        float[][] e = new float[unknowns.length][];
        Arrays.setAll(e, s -> {
            float[] values = floats(random, unknowns[s].length);
            Arrays.fill(values, 0, leading[s], 0);
            return values;
        });
        float[][] pushed = batch.push(e, leading);
        for (int s = 0; s < unknowns.length; s++) {
            int[] p = unknowns[s];
            assertThat(x[s]).hasSize(p.length);
            for (int i = 0; i < p.length; i++) {
                double product = 0;
                double rest = 0;
                for (int j = 0; j < p.length; j++) {
                    product += (double) h.at(p[i], p[j]) * x[s][j];
                    rest += (double) h.at(p[i], p[j]) * ((double) pushed[s][j] - e[s][j]);
                }
                assertThat(product).isCloseTo(b[s][i], within(1e-5));
                if (i < leading[s]) {
                    assertThat(rest).isCloseTo(0, within(1e-5));
                } else {
                    assertThat(pushed[s][i]).isZero();
                }
            }
        }
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
                "BATCH_LEADING_DIMENSION",
                "DOUBLE_LEADING_DIMENSION",
                "DOUBLE_FACTORS_SWAPPED"
            })
    void aWrongArgumentOfCublasIsFound(BlasMutation mutation) {
        StandInLibraries.shared().mutate(mutation);
        assertFound(algebra -> checkSolutions(algebra, 300, 320, 2, 2));
    }

    @ParameterizedTest
    @EnumSource(
            value = SolverMutation.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"NONE", "WORKSPACE", "BATCH_INFO"})
    void aWrongArgumentOfTheBatchedFactorIsFound(SolverMutation mutation) {
        StandInLibraries.shared().mutate(mutation);
        assertFound(algebra -> checkSolutions(algebra, 12, 24, 2, 2));
    }

    @ParameterizedTest
    @EnumSource(
            value = SolverMutation.class,
            names = {"TRIANGLE", "LEADING_DIMENSION", "WORKSPACE", "ORDER"})
    void aWrongArgumentOfTheLargeFactorIsFound(SolverMutation mutation) {
        StandInLibraries.shared().mutate(mutation);
        assertFound(algebra -> {
            Matrix h = positiveDefinite(20, 3);
            Matrix l = h.copy();
            algebra.cholesky(20, Block.of(l));
            Matrix inverse = l.copy();
            algebra.invertLower(20, Block.of(inverse));
            for (int i = 0; i < 20; i++) {
                for (int j = 0; j <= i; j++) {
                    double square = 0;
                    double identity = 0;
                    for (int p = 0; p <= i; p++) {
                        square += p <= j ? (double) l.at(i, p) * l.at(j, p) : 0;
                        identity += p >= j ? (double) l.at(i, p) * inverse.at(p, j) : 0;
                    }
                    assertThat(square).isCloseTo(h.at(i, j), within(1e-4));
                    assertThat(identity).isCloseTo(i == j ? 1 : 0, within(1e-4));
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = BlasMutation.class,
            names = {
                "GEMM_OPERATION",
                "GEMM_LEADING_DIMENSION",
                "GEMM_FACTORS_SWAPPED",
                "GEMM_BETA",
                "SYRK_TRIANGLE",
                "SYRK_OPERATION"
            })
    void aWrongArgumentOfAProductIsFound(BlasMutation mutation) {
        StandInLibraries.shared().mutate(mutation);
        assertFound(StandInSystemsTest::checkSums);
    }

    /** One block, several, a part of one; rows that push errors from the first column, from the middle, never. Truth is the recurrence, column by column in double precision. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 0, 0, -8, 7",
        "5, 40, 20, 0, -8, 7",
        "9, 128, 0, 0, -8, 7",
        "3, 300, 140, 0, -8, 7",
        "2, 150, 150, 0, -2, 1",
        "4, 130, 60, 6, 0, 15"
    })
    void columnsAreSwept(int rows, int cols, int first, int zero, int lowest, int highest) {
        Random random = new Random(cols);
        Matrix upper = Matrix.zeros(cols, cols);
        for (int i = 0; i < cols; i++) {
            for (int j = i; j < cols; j++) {
                upper.set(i, j, i == j ? 1 + random.nextFloat() : 0.1f * (random.nextFloat() - 0.5f));
            }
        }
        Matrix v = new Matrix(rows, cols, floats(random, rows * cols));
        boolean[] kept = new boolean[rows * cols];
        int[] firsts = new int[rows];
        float[] scale = new float[rows];
        float[] zeros = new float[rows];
        for (int r = 0; r < rows; r++) {
            firsts[r] = Math.min(first + r % 3, cols);
            scale[r] = 0.2f + 0.01f * r;
            zeros[r] = zero;
            for (int c = 0; c < cols; c++) {
                kept[r * cols + c] = random.nextBoolean();
            }
        }
        Matrix swept = v.copy();
        try (CudaLinearAlgebra algebra = open()) {
            algebra.sweep(swept, upper, new SweepGrid(scale, zeros, lowest, highest), kept, firsts);
        }
        for (int r = 0; r < rows; r++) {
            double[] values = new double[cols];
            int row = r;
            Arrays.setAll(values, c -> v.at(row, c));
            for (int j = 0; j < cols; j++) {
                double place = Math.rint(values[j] / scale[r]) + zero;
                double q = kept[r * cols + j] ? scale[r] * (Math.clamp(place, lowest, highest) - zero) : 0;
                assertThat((double) swept.at(r, j))
                        .as("row %d, column %d", r, j)
                        .isCloseTo(q, within(1e-5));
                double error = j < firsts[r] ? 0 : (values[j] - q) / upper.at(j, j);
                for (int i = j; i < cols; i++) {
                    values[i] -= error * upper.at(j, i);
                }
            }
        }
    }

    private interface Check {
        void on(CudaLinearAlgebra algebra);
    }

    /** The check fails, or the device refuses. */
    private static void assertFound(Check check) {
        CudaLinearAlgebra algebra = open();
        try {
            assertThatThrownBy(() -> check.on(algebra))
                    .isInstanceOfAny(
                            AssertionError.class,
                            ObrException.class,
                            NotPositiveDefiniteException.class,
                            IllegalStateException.class);
        } finally {
            closeQuietly(algebra);
        }
    }

    /** After a failure of the device, freeing says it again. */
    static void closeQuietly(CudaLinearAlgebra algebra) {
        try {
            algebra.close();
        } catch (ObrException again) {
            assertThat(again).hasMessageContaining("GPU 0");
        }
    }

    @Test
    void sumsStayThereUntilTheyAreAskedFor() {
        try (CudaLinearAlgebra algebra = open()) {
            checkSums(algebra);
        }
    }

    private static void checkSums(CudaLinearAlgebra algebra) {
        Random random = new Random(4);
        Matrix x = new Matrix(9, 6, floats(random, 54));
        Matrix y = new Matrix(9, 4, floats(random, 36));
        try (ProductSum gram = algebra.sum(6, 6);
                ProductSum cross = algebra.sum(6, 4)) {
            gram.addGram(9, Block.of(x));
            gram.addGram(5, Block.at(x, 4, 0));
            cross.add(9, Block.of(x), Block.of(y));
            cross.add(5, Block.at(x, 4, 0), Block.at(y, 4, 0));
            Matrix square = gram.value();
            Matrix product = cross.value();
            for (int i = 0; i < 6; i++) {
                for (int j = 0; j < 6; j++) {
                    double ofX = 0;
                    double ofBoth = 0;
                    for (int t = 0; t < 9; t++) {
                        int times = t < 4 ? 1 : 2;
                        ofX += times * (double) x.at(t, i) * x.at(t, j);
                        ofBoth += j < 4 ? times * (double) x.at(t, i) * y.at(t, j) : 0;
                    }
                    if (j <= i) {
                        assertThat((double) square.at(i, j)).isCloseTo(ofX, within(1e-5));
                    }
                    if (j < 4) {
                        assertThat((double) product.at(i, j)).isCloseTo(ofBoth, within(1e-5));
                    }
                }
            }
        }
    }

    /** While a matrix is held, the device's copy is what products use. */
    @Test
    void aHeldMatrixDoesNotTravel() {
        Matrix h = positiveDefinite(10, 1);
        Matrix x = new Matrix(3, 10, floats(new Random(2), 30));
        try (CudaLinearAlgebra algebra = open()) {
            Matrix expected = product(algebra, x, h);
            try (DeviceAlgebra.Held held = algebra.hold(h)) {
                Arrays.fill(h.values(), Float.NaN);
                assertThat(product(algebra, x, h).values()).isEqualTo(expected.values());
            }
            assertThat(product(algebra, x, h).values()).containsOnly(Float.NaN);
        }
    }

    /** The vectors of 1000 rows of 64 columns take 1.3 MB, their preconditioners 80 KB. */
    @Test
    void gradientsTakeAsManyRowsAsTheMemory() {
        Matrix h = positiveDefinite(64, 5);
        Matrix low = new Matrix(64, 4, floats(new Random(3), 256));
        StandInDriver.shared().configure(USUAL.withMemory(400 << 10));
        try (CudaLinearAlgebra algebra = open();
                DeviceAlgebra.Held held = algebra.hold(h)) {
            try (GradientVectors vectors = algebra.gradients(h, low, 1, 1000)) {
                assertThat(vectors.capacity()).isBetween(125, 250);
            }
            StandInDriver.shared().configure(USUAL.withMemory(22 << 10));
            assertThatThrownBy(() -> algebra.gradients(h, low, 1, 1000))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("no room for the vectors of one row of 64 columns")
                    .hasMessageContaining("--device cpu");
        }
    }

    /** Tokens times a weight that lies there, which is multiplied as it was given last. */
    @Test
    void tokensAreMultipliedByAHeldWeight() {
        Random random = new Random(8);
        float[] x = floats(random, 5 * 7);
        try (CudaLinearAlgebra algebra = open();
                HeldLinear linear = algebra.linear(3, 7)) {
            assertThat(linear.pays(1)).isTrue();
            linear.set(MemorySegment.ofArray(floats(random, 3 * 7)));
            float[] w = floats(random, 3 * 7);
            linear.set(MemorySegment.ofArray(w));
            float[] y = new float[5 * 3];
            algebra.multiply(
                    5, MemorySegment.ofArray(x), List.of(new HeldLinear.Product(linear, MemorySegment.ofArray(y))));
            for (int i = 0; i < y.length; i++) {
                double sum = 0;
                for (int c = 0; c < 7; c++) {
                    sum += (double) x[i / 3 * 7 + c] * w[i % 3 * 7 + c];
                }
                assertThat((double) y[i]).isCloseTo(sum, within(1e-5));
            }
        }
    }

    private static Matrix product(LinearAlgebra algebra, Matrix x, Matrix h) {
        Matrix y = Matrix.zeros(x.rows(), h.cols());
        algebra.gemm(
                Transpose.NO, Transpose.NO, x.rows(), h.cols(), x.cols(), 1, Block.of(x), Block.of(h), 0, Block.of(y));
        return y;
    }

    /** cuSOLVER says it of each corner of each system; the others of the batch are factored all the same. */
    @Test
    void whatIsNotPositiveDefiniteIsSaidSo() {
        Matrix h = positiveDefinite(300, 5);
        int[] all = IntStream.range(0, 299).toArray();
        int[] without = IntStream.range(0, 299).filter(c -> c != 280).toArray();
        int[] early =
                IntStream.concat(IntStream.of(280), IntStream.range(0, 20)).toArray();
        h.set(280, 280, -1);
        try (CudaLinearAlgebra algebra = open();
                PrincipalSystems systems = algebra.principalSystems(h)) {
            systems.reserve(299, 4, 0);
            PrincipalSystems.Batch batch = systems.begin(new int[][] {without, all, early, without});
            assertThat(batch.factor()).containsExactly(0, 281, 1, 0);
            float[][] b = {floats(new Random(1), 298), new float[299], new float[21], floats(new Random(2), 298)};
            float[][] x = batch.solve(b);
            checkProduct(h, without, x[0], b[0]);
            checkProduct(h, without, x[3], b[3]);
            StandInLibraries.shared().mutate(SolverMutation.BATCH_INFO); // who does not read them would see nothing
            assertThat(systems.begin(new int[][] {without, all}).factor()).containsExactly(0, 0);
        }
    }

    private static void checkProduct(Matrix h, int[] p, float[] x, float[] b) {
        for (int i = 0; i < p.length; i++) {
            double product = 0;
            for (int j = 0; j < p.length; j++) {
                product += (double) h.at(p[i], p[j]) * x[j];
            }
            assertThat(product).isCloseTo(b[i], within(1e-5));
        }
    }

    /** Two batches of systems of 64 unknowns out of 64 columns take 2 x 18 KB each. */
    @Test
    void batchesAreAsLargeAsTheMemory() {
        Matrix h = positiveDefinite(64, 5);
        StandInDriver.shared().configure(USUAL.withMemory(800 << 10));
        try (CudaLinearAlgebra algebra = open();
                PrincipalSystems systems = algebra.principalSystems(h)) {
            int count = systems.reserve(64, 1000, 0);
            assertThat(count).isBetween(15, 21);
            StandInDriver.shared().fail(5, 0); // somebody else takes memory
            assertThat(systems.reserve(64, 1000, 0)).isEqualTo(count / 2);
            StandInDriver.shared().configure(USUAL.withMemory(70 << 10));
            assertThatThrownBy(() -> systems.reserve(64, 1000, 0))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("no room for two systems of 64 unknowns out of 64 columns")
                    .hasMessageContaining("--solver pcg, or --device cpu");
        }
    }

    /** Whatever fails, at whatever point, is an error that says what; nothing hangs, nothing wrong comes back. */
    @ParameterizedTest
    @CsvSource({"1", "2", "3", "5", "8", "13"})
    void aFailedCallIsAnError(int work) {
        CudaLinearAlgebra algebra = open();
        StandInDriver.shared().fail(0, work);
        try {
            assertThatThrownBy(() -> checkSolutions(algebra, 300, 310, 1, 1))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("GPU 0 (Stand-in GPU)");
        } finally {
            closeQuietly(algebra);
        }
    }

    /** What the adapters keep from the libraries, the stand-ins would not let pass. */
    @Test
    void theStandInsAreStrict() {
        StandInDriver.shared().configure(USUAL);
        try (CudaDevice device = CudaDevice.open(0)) {
            CudaMemory memory = device.own(device.allocate(64));
            CudaStream stream = (CudaStream) device.newStream();
            try (CudaBlas blas = CudaBlas.on(device, stream)) {
                assertThatThrownBy(() -> blas.gemm(
                                Transpose.NO,
                                Transpose.NO,
                                4,
                                4,
                                4,
                                1,
                                CudaBlas.At.of(memory, 3),
                                CudaBlas.At.of(memory, 4),
                                0,
                                CudaBlas.At.of(memory, 4)))
                        .as("rows of 4 that are 3 apart")
                        .isInstanceOf(ObrException.class)
                        .hasMessage("GPU 0 (Stand-in GPU): cublasSgemm failed: CUBLAS_STATUS_INVALID_VALUE (7)");
            }
            cublasHandle handle = new cublasHandle();
            assertThat(JCublas2.cublasCreate(handle)).isZero();
            Pointer host = Pointer.to(new float[16]);
            Pointer factor = Pointer.to(new float[] {1});
            assertThat(JCublas2.cublasSgemm(handle, 0, 0, 4, 4, 4, factor, host, 4, host, 4, factor, host, 4))
                    .as("no stream")
                    .isEqualTo(1);
            assertThat(JCublas2.cublasSetStream(handle, new jcuda.runtime.cudaStream_t(stream.handle())))
                    .isZero();
            assertThat(JCublas2.cublasSgemm(
                            handle, 0, 0, 4, 4, 4, memory.at(device, 0, 4), host, 4, host, 4, factor, host, 4))
                    .as("a factor on the device")
                    .isEqualTo(7);
            assertThat(JCublas2.cublasScopy(handle, 1, host, 1, host, 1))
                    .as("not of CudaBlas' functions")
                    .isEqualTo(15);
            assertThat(JCublas2.cublasSgemm(handle, 0, 0, 4, 4, 4, factor, host, 4, host, 4, factor, host, 4))
                    .isZero();
            assertThat(JCublas2.cublasDestroy(handle)).isZero();
            assertThatThrownBy(stream::synchronize)
                    .as("memory of the host")
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("700");
            assertThatThrownBy(device::close).isInstanceOf(ObrException.class);
        } catch (IllegalStateException closed) {
            assertThat(closed).hasMessageContaining("closed");
        }
    }

    static int[] unknowns(Random random, int count, int columns) {
        int[] all = IntStream.range(0, columns).toArray();
        for (int i = 0; i < count; i++) {
            int j = i + random.nextInt(columns - i);
            int swapped = all[i];
            all[i] = all[j];
            all[j] = swapped;
        }
        return Arrays.copyOf(all, count);
    }

    static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Correlations that fall off with distance, and some noise that keeps it symmetric. */
    static Matrix positiveDefinite(int n, long seed) {
        float[] noise = floats(new Random(seed), n);
        Matrix h = Matrix.zeros(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double value = Math.pow(0.8, Math.abs(i - j)) + 0.1 * noise[i] * noise[j] + (i == j ? 0.2 : 0);
                h.set(i, j, (float) value);
            }
        }
        return h;
    }
}
