package dev.obr.kernels.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.cpu.ThreadTeam;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every implementation against plain sums in double precision, on rectangles inside larger arrays. */
public class LinearAlgebraTest {
    private static final float OUTSIDE = -77;

    static Stream<LinearAlgebra> implementations() {
        return Stream.of(
                new JavaLinearAlgebra(), LinearAlgebras.choose(System.getenv()).algebra());
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void productsOfEveryTransposition(LinearAlgebra algebra) {
        Random random = new Random(1);
        for (int[] shape : new int[][] {{1, 1, 1}, {3, 5, 2}, {17, 33, 70}, {64, 40, 129}}) {
            int m = shape[0];
            int n = shape[1];
            int k = shape[2];
            for (Transpose opA : Transpose.values()) {
                for (Transpose opB : Transpose.values()) {
                    Block a = opA == Transpose.NO ? random(random, m, k) : random(random, k, m);
                    Block b = opB == Transpose.NO ? random(random, k, n) : random(random, n, k);
                    Block c = random(random, m, n);
                    float[] before = c.values().clone();
                    algebra.gemm(opA, opB, m, n, k, 0.5f, a, b, 2, c);
                    for (int i = 0; i < m; i++) {
                        for (int j = 0; j < n; j++) {
                            double sum = 0;
                            for (int p = 0; p < k; p++) {
                                sum += (double) at(a, opA, i, p) * at(b, opB, p, j);
                            }
                            int index = c.offset() + i * c.stride() + j;
                            assertThat((double) c.values()[index])
                                    .isCloseTo(0.5 * sum + 2 * before[index], within(1e-4));
                        }
                    }
                    assertThat(c.values()[c.offset() + n]).isEqualTo(OUTSIDE);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void aFactorTimesItsTransposeIsTheMatrix(LinearAlgebra algebra) {
        for (int n : new int[] {1, 2, 7, 64, 150}) {
            Matrix h = positiveDefinite(n, 3);
            Matrix l = h.copy();
            algebra.cholesky(n, Block.of(l));
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    if (j > i) {
                        assertThat(l.at(i, j)).isEqualTo(h.at(i, j)); // above the diagonal nothing was touched
                        continue;
                    }
                    double sum = 0;
                    for (int p = 0; p <= j; p++) {
                        sum += (double) l.at(i, p) * l.at(j, p);
                    }
                    assertThat(sum).isCloseTo(h.at(i, j), within(1e-5 * n));
                }
            }
            float[] x = new float[n];
            for (int i = 0; i < n; i++) {
                x[i] = i % 5 - 2;
            }
            float[] product = times(h, x);
            algebra.solveFactored(n, Block.of(l), product);
            assertThat(product).containsExactly(x, within(2e-3f));
        }
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void theUpperFactorOfTheInverse(LinearAlgebra algebra) {
        int n = 40;
        Matrix h = positiveDefinite(n, 4);
        Matrix u;
        try (ThreadTeam alone = new ThreadTeam(1)) {
            u = InverseFactor.upper(algebra, alone, h);
        }
        for (int i = 0; i < n; i++) {
            float[] unit = new float[n];
            unit[i] = 1;
            float[] column = times(h, times(transposed(u), times(u, unit))); // H Uᵀ U = identity
            for (int j = 0; j < n; j++) {
                assertThat(column[j]).isCloseTo(unit[j], within(1e-3f));
                if (j < i) {
                    assertThat(u.at(i, j)).isZero();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void largeFactorsAreTheSameOnAnyNumberOfThreads(LinearAlgebra algebra) {
        int n = 1100; // three blocks, the last a part of one
        Matrix h = Matrix.zeros(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                h.set(i, j, (float) (Math.pow(0.9, Math.abs(i - j)) + (i == j ? 0.1 : 0)));
            }
        }
        Matrix u;
        try (ThreadTeam alone = new ThreadTeam(1);
                ThreadTeam team = new ThreadTeam(2)) {
            u = InverseFactor.upper(algebra, team, h);
            assertThat(InverseFactor.upper(algebra, alone, h).values()).isEqualTo(u.values());
            h.set(700, 700, -1);
            assertThatExceptionOfType(NotPositiveDefiniteException.class)
                    .isThrownBy(() -> InverseFactor.upper(algebra, team, h))
                    .satisfies(e -> assertThat(e.order()).isEqualTo(n - 700)); // counted from the end
            h.set(700, 700, 1.1f);
        }
        float[] x = floats(new Random(8), n);
        assertThat(times(h, times(transposed(u), times(u, x)))).containsExactly(x, within(1e-3f));
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void whatIsNotPositiveDefiniteIsSaidSo(LinearAlgebra algebra) {
        Matrix h = positiveDefinite(20, 5);
        h.set(11, 11, -1);
        assertThatExceptionOfType(NotPositiveDefiniteException.class)
                .isThrownBy(() -> algebra.cholesky(20, Block.of(h.copy())))
                .satisfies(e -> assertThat(e.order()).isEqualTo(12));
        h.set(11, 11, Float.NaN);
        assertThatExceptionOfType(NotPositiveDefiniteException.class)
                .isThrownBy(() -> algebra.cholesky(20, Block.of(h.copy())));
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void rectanglesOutsideTheirArrayAreRefused(LinearAlgebra algebra) {
        Block small = Block.of(Matrix.zeros(3, 3));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> algebra.cholesky(4, small));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> algebra.gemm(Transpose.NO, Transpose.NO, 3, 4, 3, 1, small, small, 0, small));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> algebra.solveLower(Transpose.NO, 3, small, new float[2]));
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void tiledProductsEqualUntiledOnesOnAnyNumberOfThreads(LinearAlgebra algebra) {
        int n = 530;
        int k = 37;
        Matrix x = new Matrix(k, n, floats(new Random(6), k * n));
        Matrix square = new Matrix(n, n, floats(new Random(7), n * n));
        Matrix one = Matrix.zeros(n, n);
        Matrix three = Matrix.zeros(n, n);
        Matrix product;
        try (ThreadTeam alone = new ThreadTeam(1);
                ThreadTeam team = new ThreadTeam(3)) {
            new TiledProducts(algebra, alone).addGram(n, k, 0.25f, Block.of(x), Block.of(one));
            new TiledProducts(algebra, team).addGram(n, k, 0.25f, Block.of(x), Block.of(three));
            product = new TiledProducts(algebra, team).multiply(x, square);
        }
        assertThat(three.values()).isEqualTo(one.values());
        Matrix gram = Matrix.zeros(n, n);
        algebra.syrk(n, k, 0.25f, Block.of(x), Block.of(gram));
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                assertThat(one.at(i, j)).isCloseTo(gram.at(i, j), within(1e-4f));
            }
        }
        Matrix whole = Matrix.zeros(k, n);
        algebra.gemm(Transpose.NO, Transpose.NO, k, n, n, 1, Block.of(x), Block.of(square), 0, Block.of(whole));
        assertThat(product.values()).containsExactly(whole.values(), within(1e-3f));
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void choosingSaysWhich(LinearAlgebra algebra) {
        assertThat(LinearAlgebras.choose(Map.of()).why()).startsWith("linear algebra: ");
        assertThat(algebra.description()).isNotBlank();
    }

    private static float at(Block block, Transpose op, int row, int col) {
        return op == Transpose.NO
                ? block.values()[block.offset() + row * block.stride() + col]
                : block.values()[block.offset() + col * block.stride() + row];
    }

    private static Block random(Random random, int rows, int cols) {
        int stride = cols + 3;
        float[] values = floats(random, 5 + rows * stride);
        for (int r = 0; r < rows; r++) {
            values[5 + r * stride + cols] = OUTSIDE;
        }
        return new Block(values, 5, stride);
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Matrix positiveDefinite(int n, long seed) {
        float[] x = floats(new Random(seed), 2 * n * n);
        Matrix h = Matrix.zeros(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = i == j ? 0.1 : 0;
                for (int p = 0; p < 2 * n; p++) {
                    sum += (double) x[p * n + i] * x[p * n + j] / (2 * n);
                }
                h.set(i, j, (float) sum);
            }
        }
        return h;
    }

    private static Matrix transposed(Matrix a) {
        Matrix t = Matrix.zeros(a.cols(), a.rows());
        for (int r = 0; r < a.rows(); r++) {
            for (int c = 0; c < a.cols(); c++) {
                t.set(c, r, a.at(r, c));
            }
        }
        return t;
    }

    private static float[] times(Matrix a, float[] x) {
        float[] y = new float[a.rows()];
        for (int r = 0; r < a.rows(); r++) {
            double sum = 0;
            for (int c = 0; c < a.cols(); c++) {
                sum += (double) a.at(r, c) * x[c];
            }
            y[r] = (float) sum;
        }
        return y;
    }
}
