package dev.obr.bench.gemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.bench.RandomMatrix;
import dev.obr.bench.gpu.ProductRow;
import dev.obr.kernels.DType;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** That what is timed is the product: against sums in double of the operands, in small. */
class CpuProductsTest {
    private static final GemmShape SHAPE = new GemmShape(192, 128);
    private static final long ROTATED = 100_000; // bytes: three copies of half floats

    private final ThreadTeam team = new ThreadTeam(2);
    private final CpuKernels kernels =
            CpuKernelsProvider.choose("scalar", Map.of()).kernels();

    @AfterEach
    void endTeam() {
        team.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 70})
    void halfFloats(int tokens) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment w = Noise.of(DType.F16, (long) SHAPE.features() * SHAPE.columns(), arena);
            compare(
                    new HalfProduct(SHAPE, kernels, team, arena, ROTATED),
                    tokens,
                    arena,
                    1e-5,
                    (f, c) ->
                            Float.float16ToFloat(w.getAtIndex(ValueLayout.JAVA_SHORT, (long) f * SHAPE.columns() + c)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 600})
    void floatsOfALibrary(int tokens) {
        LinearAlgebra algebra = new JavaLinearAlgebra();
        float[] w = Noise.fill(new float[SHAPE.features() * SHAPE.columns()]);
        try (Arena arena = Arena.ofShared()) {
            compare(
                    new BlasProduct(SHAPE, algebra, team, ROTATED),
                    tokens,
                    arena,
                    1e-5,
                    (f, c) -> w[f * SHAPE.columns() + c]);
        }
    }

    /** Activations of 8 bits are off by half a step of 0.2 / 127 at most, 128 weights by 8 · 0.006. */
    @ParameterizedTest
    @EnumSource(
            value = Pattern.class,
            names = {"DENSE", "TWO_OF_FOUR", "PAIRS_4_OF_8", "UNSTRUCTURED"})
    void packedWeights(Pattern pattern) {
        PackedKernels packed = Objects.requireNonNull(kernels.packed().kernels());
        PackedMatrix weight = RandomMatrix.packed(pattern, 4, SHAPE.features(), SHAPE.columns(), 0.006f, 1);
        float[][] w = new float[SHAPE.features()][SHAPE.columns()];
        for (int f = 0; f < w.length; f++) {
            weight.dequantizeRow(f, w[f], 0);
        }
        try (Arena arena = Arena.ofShared()) {
            PackedProduct product = new PackedProduct(weight, kernels, packed, team, arena, ROTATED);
            compare(product, 63, arena, 0.02, (f, c) -> w[f][c]);
            // tokens beyond those that are coded take turns with them
            CpuProduct.Ready many = product.with(130, arena);
            many.multiply(0);
            assertThat(many.at(128, 5))
                    .isEqualTo(many.at(0, 5))
                    .isEqualTo(many.at(64, 5))
                    .isNotEqualTo(many.at(1, 5));
        }
    }

    private interface Weights {
        double at(int feature, int column);
    }

    /** Each turn, whichever copy it takes, computes the same. */
    private static void compare(CpuProduct product, int tokens, Arena arena, double tolerance, Weights w) {
        MemorySegment x = Noise.of(DType.F32, (long) tokens * SHAPE.columns(), arena);
        CpuProduct.Ready ready = product.with(tokens, arena);
        for (int turn : new int[] {0, 1, 7}) {
            ready.multiply(turn);
            for (int t = 0; t < tokens; t += 1 + tokens / 9) {
                for (int f = 0; f < SHAPE.features(); f += 13) {
                    double sum = 0;
                    for (int c = 0; c < SHAPE.columns(); c++) {
                        sum += w.at(f, c) * x.getAtIndex(ValueLayout.JAVA_FLOAT, (long) t * SHAPE.columns() + c);
                    }
                    assertThat((double) ready.at(t, f)).isCloseTo(sum, within(tolerance));
                }
            }
        }
    }

    @Test
    void eachVariantIsMeasured() {
        try (CpuProducts products = new CpuProducts(SHAPE, kernels, new JavaLinearAlgebra(), team, ROTATED)) {
            List<ProductRow> rows = products.measure(3, 0);
            assertThat(rows)
                    .extracting(ProductRow::name)
                    .containsExactly(
                            "FP16 dense",
                            "FP32 dense, OpenBLAS",
                            "INT4 dense, A8",
                            "INT4 2:4, A8",
                            "INT4 4:8p, A8",
                            "INT4 unstructured, A8");
            assertThat(rows).extracting(ProductRow::reference).containsExactly(true, true, false, false, false, false);
            assertThat(rows).allSatisfy(row -> {
                assertThat(row.sample().seconds()).hasSize(3).allMatch(s -> s > 0);
                assertThat(row.size().tokens()).isEqualTo(3);
            });
            assertThat(rows.get(0).weightBytes()).isEqualTo(2L * 192 * 128);
            assertThat(rows.get(2).weightBytes()).isLessThan(2L * 192 * 128 / 3);
            assertThat(products.refusal(3)).isEmpty();
            assertThat(products.refusal(1 << 30))
                    .hasValueSatisfying(why -> assertThat(why).contains("activations and results take", "java -Xmx"));
        }
    }
}
