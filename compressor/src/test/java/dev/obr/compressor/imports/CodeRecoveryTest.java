package dev.obr.compressor.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.Golden;
import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Codes, masks and scales out of dequantised weights: those of the published code, and random ones of every size. */
class CodeRecoveryTest {
    private static final ThreadTeam TEAM = new ThreadTeam(2);

    @AfterAll
    static void closeTeam() {
        TEAM.close();
    }

    /** What the published code made of its layers with 4-bit codes (and fewer), stored as the published checkpoints are. */
    static Stream<Arguments> published() {
        return Stream.of("obr", "sparsegpt_gptq_baseline")
                .flatMap(kind -> Golden.ofKind(kind).stream())
                .filter(golden -> golden.has("codes")
                        && golden.parameter("bits").asInt() <= 4
                        && golden.parameter("sym").asBoolean(true))
                .flatMap(golden -> Stream.of(DType.F16, DType.BF16).map(type -> Arguments.of(golden, type)));
    }

    @ParameterizedTest
    @MethodSource
    void published(Golden golden, DType type) {
        Matrix what = golden.matrix("w_hat");
        float[] codes = golden.array("codes");
        float[] scales = golden.array("scale");
        RecoveredWeight recovered = new CodeRecovery(TEAM).recover(golden.id(), stored(what, type));
        double rounding = type == DType.F16 ? 0x1p-11 : 0x1p-8;
        byte[] expected = new byte[codes.length];
        for (int r = 0; r < what.rows(); r++) {
            int factor = commonFactor(codes, r * what.cols(), what.cols());
            for (int i = r * what.cols(); i < (r + 1) * what.cols(); i++) {
                expected[i] = (byte) (factor == 0 ? 0 : codes[i] / factor);
            }
            if (factor != 0) {
                assertThat((double) recovered.scales()[r] / factor)
                        .as("scale %d", r)
                        .isCloseTo(scales[r], within(rounding * scales[r]));
            }
        }
        assertThat(recovered.codes()).containsExactly(expected);
        float[] mask = golden.has("mask") ? golden.array("mask") : new float[0];
        boolean[] kept = new boolean[codes.length];
        for (int i = 0; i < codes.length; i++) {
            kept[i] = (mask.length == 0 || mask[i] != 0) && codes[i] != 0;
        }
        assertThat(recovered.mask().kept()).containsExactly(kept);
    }

    /** Of a row's codes; 0 where all are 0. */
    private static int commonFactor(float[] codes, int at, int count) {
        BigInteger factor = BigInteger.ZERO;
        for (int i = at; i < at + count; i++) {
            factor = factor.gcd(BigInteger.valueOf((long) codes[i]));
        }
        return factor.intValueExact();
    }

    /** Scales over the whole range of each type, few different codes and many; whatever was recovered must give the stored values again. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F16", "BF16", "F32"})
    void everyEntryIsExact(DType type) {
        Random random = new Random(7);
        int rows = 4000;
        int cols = 12;
        float[] scales = new float[rows];
        byte[] codes = new byte[rows * cols];
        Matrix product = Matrix.zeros(rows, cols);
        for (int r = 0; r < rows; r++) {
            scales[r] = (float) Math.exp(-16 + 24 * random.nextDouble()); // 1e-7 to 3e3: subnormal halves, too
            int limit = 1 + random.nextInt(8);
            for (int c = 0; c < cols; c++) {
                int code = random.nextInt(2 * limit) - limit;
                codes[r * cols + c] = (byte) code;
                product.set(r, c, scales[r] * code);
            }
        }
        WeightMatrix stored = stored(product, type);
        Matrix values = CheckpointRows.of(stored, 0, rows);
        RecoveredWeight recovered = new CodeRecovery(TEAM).recover("random", stored);
        Matrix again = Matrix.zeros(rows, cols);
        for (int i = 0; i < codes.length; i++) {
            again.values()[i] = recovered.scales()[i / cols] * recovered.codes()[i];
        }
        assertThat(CheckpointRows.of(stored(again, type), 0, rows).values()).containsExactly(values.values());
        for (int r = 0; r < rows; r++) {
            float[] row = new float[cols];
            for (int c = 0; c < cols; c++) {
                row[c] = codes[r * cols + c];
            }
            int factor = commonFactor(row, 0, cols);
            if (type != DType.F16 || scales[r] > 1e-4) { // subnormal numbers hold fewer digits than a code
                for (int i = r * cols; i < (r + 1) * cols; i++) {
                    codes[i] = factor == 0 ? 0 : (byte) (codes[i] / factor);
                }
            } else {
                System.arraycopy(recovered.codes(), r * cols, codes, r * cols, cols);
            }
        }
        assertThat(recovered.codes()).containsExactly(codes);
    }

    @Test
    void threadsDoNotMatter() {
        Matrix weight = Matrix.zeros(100, 30);
        for (int i = 0; i < weight.values().length; i++) {
            weight.values()[i] = (i / 30 + 1) * 1e-3f * (i * 7 % 16 - 8);
        }
        RecoveredWeight two = new CodeRecovery(TEAM).recover("w", stored(weight, DType.BF16));
        try (ThreadTeam alone = new ThreadTeam(1)) {
            RecoveredWeight one = new CodeRecovery(alone).recover("w", stored(weight, DType.BF16));
            assertThat(one.codes()).containsExactly(two.codes());
            assertThat(one.scales()).containsExactly(two.scales());
        }
    }

    @Test
    void zerosAndSharedFactors() {
        Matrix weight = new Matrix(3, 4, new float[] {0, -0f, 0, 0, 0.5f, -1, 1.5f, 0, 2, 2, 0, -2});
        RecoveredWeight recovered = new CodeRecovery(TEAM).recover("w", stored(weight, DType.F16));
        assertThat(recovered.codes()).containsExactly(0, 0, 0, 0, 1, -2, 3, 0, 1, 1, 0, -1);
        assertThat(recovered.scales()[0]).isZero();
        assertThat(recovered.zeros()).isEqualTo(6);
        assertThat(recovered.mask().keeps(1, 3)).isFalse();
        assertThat(recovered.mask().keeps(1, 0)).isTrue();
    }

    static Stream<Arguments> offTheGrid() {
        return Stream.of(
                Arguments.of("3 different magnitudes up to 1.0", new float[] {1, 0.77f, 0.3f, 0}),
                Arguments.of("4 different magnitudes", new float[] {8, 7, 5, 3}), // +8 is no code
                Arguments.of("2 different magnitudes up to 11.0", new float[] {11, 7, 0, 0}),
                Arguments.of("it holds NaN", new float[] {1, Float.NaN, 0, 0}),
                Arguments.of("it holds Infinity", new float[] {1, Float.POSITIVE_INFINITY, 0, 0}));
    }

    @ParameterizedTest
    @MethodSource
    void offTheGrid(String found, float[] row) {
        Matrix weight = Matrix.zeros(40, 4);
        System.arraycopy(row, 0, weight.values(), 37 * 4, 4);
        System.arraycopy(row, 0, weight.values(), 39 * 4, 4);
        for (DType type : new DType[] {DType.F16, DType.BF16, DType.F32}) {
            assertThatThrownBy(() -> new CodeRecovery(TEAM).recover("file: tensor", stored(weight, type)))
                    .isInstanceOf(ObrException.class)
                    .hasMessageStartingWith("file: tensor: row 37 is no scale times whole numbers from -8 to 7 (")
                    .hasMessageContaining(found)
                    .hasMessageEndingWith("; this is no 4-bit OBR checkpoint");
        }
    }

    /** Rounded to the nearest, from the middle to the even neighbour, as torch casts. */
    private static WeightMatrix stored(Matrix matrix, DType type) {
        float[] values = matrix.values();
        int size = type == DType.F32 ? 4 : 2;
        MemorySegment memory = MemorySegment.ofArray(new byte[size * values.length]);
        for (int i = 0; i < values.length; i++) {
            int bits = Float.floatToRawIntBits(values[i]);
            switch (type) {
                case F32 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, bits);
                case F16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, Float.floatToFloat16(values[i]));
                default -> {
                    int dropped = bits & 0xffff;
                    int kept = bits >>> 16;
                    boolean up = Float.isFinite(values[i]) && (dropped > 0x8000 || dropped == 0x8000 && kept % 2 != 0);
                    memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short) (up ? kept + 1 : kept));
                }
            }
        }
        return new WeightMatrix(type, matrix.rows(), matrix.cols(), memory);
    }
}
