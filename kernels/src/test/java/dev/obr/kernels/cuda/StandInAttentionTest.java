package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.StandInLibraries.BlasMutation;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.linalg.HeldAttention;
import dev.obr.kernels.linalg.HeldAttention.Shape;
import dev.obr.kernels.linalg.HeldLinear;
import dev.obr.kernels.linalg.HeldLinear.Product;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import java.lang.foreign.MemorySegment;
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

/** What calibration has of a GPU, through JCuda and the stand-ins: products of shared inputs, and attention. Truth is the definition in double precision. */
@Tag("stand-in-driver")
class StandInAttentionTest {
    private static final StandInDriver.Options USUAL = StandInDriver.Options.USUAL;

    /** Of a weighted mean of numbers around 1, whose weights come of sums of up to 64 products. */
    private static final double ROUNDING = 1e-5;

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

    private static CudaLinearAlgebra open() {
        return CudaLinearAlgebra.open(0, new JavaLinearAlgebra(), 0);
    }

    /**
     * Groups of one and of several heads; sequences at once and in chunks, the last one short; scores of which one weight is nearly all; memory for all queries at once, and for a few.
     *
     * @param chunk tokens that come together
     * @param spread of the scores
     */
    @ParameterizedTest
    @CsvSource({
        "2, 2, 8, 1, 1, 1, 65536",
        "3, 1, 8, 33, 33, 1, 65536",
        "8, 2, 64, 33, 20, 1, 65536",
        "4, 4, 64, 200, 200, 3, 65536",
        "3, 1, 64, 200, 96, 30, 65536",
        "8, 2, 8, 200, 70, 3, 192",
        "4, 1, 64, 33, 33, 1, 96"
    })
    void positionsAreMixedAsDefined(
            int heads, int kvHeads, int headDim, int length, int chunk, float spread, int kibibytes) {
        StandInDriver.shared().configure(USUAL.withMemory((long) kibibytes << 10));
        try (CudaLinearAlgebra algebra = open()) {
            check(algebra, new Shape(heads, kvHeads, headDim), length, chunk, spread);
        }
    }

    private static void check(CudaLinearAlgebra algebra, Shape shape, int length, int chunk, float spread) {
        Random random = new Random(length);
        float[] q = floats(random, length * shape.queryWidth(), spread);
        float[] k = floats(random, length * shape.kvWidth(), 1);
        float[] v = floats(random, length * shape.kvWidth(), 1);
        float[] y = new float[q.length];
        try (HeldAttention attention = algebra.attention(shape, length).orElseThrow()) {
            for (int window = 0; window < 2; window++) { // the second one in the place of the first
                for (int from = 0; from < length; from += chunk) {
                    int count = Math.min(chunk, length - from);
                    attention.append(
                            from,
                            count,
                            rows(window == 0 ? v : k, from, count, shape.kvWidth()),
                            rows(v, from, count, shape.kvWidth()));
                    attention.attend(
                            from,
                            count,
                            rows(q, from, count, shape.queryWidth()),
                            rows(y, from, count, shape.queryWidth()));
                }
            }
        }
        for (int t = 0; t < length; t++) {
            for (int head = 0; head < shape.heads(); head++) {
                double[] mixed = mixed(shape, q, k, v, t, head);
                for (int d = 0; d < shape.headDim(); d++) {
                    assertThat((double) y[t * shape.queryWidth() + head * shape.headDim() + d])
                            .as("token %d, head %d, component %d", t, head, d)
                            .isCloseTo(mixed[d], within(ROUNDING * Math.max(1, spread)));
                }
            }
        }
    }

    /** What a head of a token is given. */
    private static double[] mixed(Shape shape, float[] q, float[] k, float[] v, int t, int head) {
        int at = head / shape.group() * shape.headDim();
        double[] weights = new double[t + 1];
        double largest = Double.NEGATIVE_INFINITY;
        for (int p = 0; p <= t; p++) {
            for (int d = 0; d < shape.headDim(); d++) {
                weights[p] += (double) q[t * shape.queryWidth() + head * shape.headDim() + d]
                        * k[p * shape.kvWidth() + at + d]
                        / Math.sqrt(shape.headDim());
            }
            largest = Math.max(largest, weights[p]);
        }
        double sum = 0;
        double[] mixed = new double[shape.headDim()];
        for (int p = 0; p <= t; p++) {
            double weight = Math.exp(weights[p] - largest);
            sum += weight;
            for (int d = 0; d < mixed.length; d++) {
                mixed[d] += weight * v[p * shape.kvWidth() + at + d];
            }
        }
        for (int d = 0; d < mixed.length; d++) {
            mixed[d] /= sum;
        }
        return mixed;
    }

    private static MemorySegment rows(float[] x, int from, int count, int width) {
        return MemorySegment.ofArray(x).asSlice(4L * from * width, 4L * count * width);
    }

    /** Each wrong argument that the stand-in can make of a right one is found by the same comparison. */
    @ParameterizedTest
    @EnumSource(names = {"BATCH_STRIDE", "BATCH_COUNT"})
    void wrongArgumentsAreFound(BlasMutation mutation) {
        CudaLinearAlgebra algebra = open();
        StandInLibraries.shared().mutate(mutation);
        try {
            assertThatThrownBy(() -> check(algebra, new Shape(4, 2, 8), 33, 33, 1))
                    .isInstanceOfAny(AssertionError.class, ObrException.class);
        } finally {
            closeQuietly(algebra);
        }
    }

    /** K and V of 200 positions take 102 400 bytes, the scores of a query 1792. */
    @Test
    void whatDoesNotFitIsSaidSo() {
        StandInDriver.shared().configure(USUAL.withMemory(416_000));
        try (CudaLinearAlgebra algebra = open()) {
            assertThatThrownBy(() -> algebra.attention(new Shape(2, 1, 64), 200))
                    .isInstanceOf(OutOfGpuMemoryException.class)
                    .hasMessage(
                            "GPU 0 (Stand-in GPU) has no room for attention over 200 positions: a quarter of the"
                                    + " 416000 bytes that are free is less than the 104192 of keys, values and a query's scores");
            assertThat(algebra.attention(new Shape(2, 1, 64), 190)).hasValueSatisfying(HeldAttention::close);
            StandInDriver.shared().fail(2, 0); // somebody else takes memory
            assertThatThrownBy(() -> algebra.attention(new Shape(2, 1, 64), 190))
                    .isInstanceOf(OutOfGpuMemoryException.class);
        }
    }

    /** What a processor does at once is not worth the way. */
    @Test
    void whatIsSmallStaysOnTheHost() {
        try (CudaLinearAlgebra algebra = CudaLinearAlgebra.open(0, new JavaLinearAlgebra())) {
            assertThat(algebra.attention(new Shape(32, 8, 128), 64)).isEmpty();
            assertThat(algebra.attention(new Shape(32, 8, 128), 512)).hasValueSatisfying(HeldAttention::close);
        }
    }

    /** Products, the softmax and the way back, each of them failing. */
    @ParameterizedTest
    @CsvSource({"1", "2", "3", "4"})
    void aFailedCallIsAnError(int work) {
        CudaLinearAlgebra algebra = open();
        StandInDriver.shared().fail(0, work);
        try {
            assertThatThrownBy(() -> check(algebra, new Shape(4, 4, 8), 33, 20, 1))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("GPU 0 (Stand-in GPU)");
        } finally {
            closeQuietly(algebra);
        }
    }

    /** After a failure of the device, freeing says it again. */
    private static void closeQuietly(CudaLinearAlgebra algebra) {
        try {
            algebra.close();
        } catch (ObrException again) {
            assertThat(again).hasMessageContaining("GPU 0");
        }
    }

    @Test
    void positionsBeyondTheRoomAreRefused() {
        try (CudaLinearAlgebra algebra = open();
                HeldAttention attention =
                        algebra.attention(new Shape(1, 1, 8), 5).orElseThrow()) {
            MemorySegment two = MemorySegment.ofArray(new float[16]);
            assertThatThrownBy(() -> attention.append(4, 2, two, two))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("there is no room for 2 tokens from position 4 on, of 5");
        }
        assertThatThrownBy(() -> new Shape(6, 4, 8)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Three layers of one input, the second wider than the first. */
    @Test
    void layersShareAnInput() {
        Random random = new Random(8);
        int[] rows = {3, 9, 5};
        float[] x = floats(random, 4 * 7, 1);
        float[][] w = new float[rows.length][];
        float[][] y = new float[rows.length][];
        try (CudaLinearAlgebra algebra = open();
                HeldLinear first = algebra.linear(rows[0], 7);
                HeldLinear second = algebra.linear(rows[1], 7);
                HeldLinear third = algebra.linear(rows[2], 7)) {
            List<HeldLinear> layers = List.of(first, second, third);
            for (int i = 0; i < rows.length; i++) {
                w[i] = floats(random, rows[i] * 7, 1);
                y[i] = new float[4 * rows[i]];
                layers.get(i).set(MemorySegment.ofArray(w[i]));
            }
            algebra.multiply(
                    4,
                    MemorySegment.ofArray(x),
                    List.of(
                            new Product(first, MemorySegment.ofArray(y[0])),
                            new Product(second, MemorySegment.ofArray(y[1])),
                            new Product(third, MemorySegment.ofArray(y[2]))));
            assertThatThrownBy(() -> algebra.multiply(
                            3, MemorySegment.ofArray(x), List.of(new Product(first, MemorySegment.ofArray(y[0])))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("3 tokens of 7 columns are not 112 bytes");
        }
        for (int i = 0; i < rows.length; i++) {
            for (int at = 0; at < y[i].length; at++) {
                double sum = 0;
                for (int c = 0; c < 7; c++) {
                    sum += (double) x[at / rows[i] * 7 + c] * w[i][at % rows[i] * 7 + c];
                }
                assertThat((double) y[i][at]).as("layer %d", i).isCloseTo(sum, within(1e-5));
            }
        }
    }

    private static float[] floats(Random random, int count, float spread) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = spread * (float) random.nextGaussian();
        }
        return values;
    }
}
