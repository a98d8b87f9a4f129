package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Products of codes with whole numbers, as quantised layers have them, are exact in every twin, however few tokens and long rows are. */
class CodeProductsTest {
    private static final int ROWS = 7;

    @ParameterizedTest
    @EnumSource(Twins.class)
    void wholeNumbersAreMultipliedExactly(Twins twin) {
        CpuKernels kernels = twin.get();
        for (int bits : new int[] {8, 4}) {
            for (int cols : new int[] {2, 14, 32, 46, 2048, 8200, 16384}) {
                for (int tokens : new int[] {1, 2, 3, 4, 97}) {
                    compare(kernels, bits, ROWS, cols, tokens);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Twins.class)
    void rowsThatDoNotFitIntoACacheAreMultipliedExactly(Twins twin) {
        for (int tokens : new int[] {1, 5}) {
            compare(twin.get(), 8, 303, 2048, tokens);
            compare(twin.get(), 4, 303, 4096, tokens);
        }
    }

    @ParameterizedTest
    @EnumSource(Twins.class)
    void aTokenThatIsNoNumberSpoilsNoOther(Twins twin) {
        CpuKernels kernels = twin.get();
        try (Arena arena = Arena.ofConfined()) {
            WeightMatrix w = new WeightMatrix(DType.CODES_8, ROWS, 40, ones(arena, ROWS * 40));
            MemorySegment x = arena.allocate(4L * 3 * 40);
            x.setAtIndex(ValueLayout.JAVA_FLOAT, 41, Float.NaN);
            x.setAtIndex(ValueLayout.JAVA_FLOAT, 80, 3);
            MemorySegment y = arena.allocate(4L * 3 * ROWS);
            kernels.matmul(w, 0, ROWS, x, 3, y);
            for (int r = 0; r < ROWS; r++) {
                assertThat(y.getAtIndex(ValueLayout.JAVA_FLOAT, r)).isZero();
                assertThat(y.getAtIndex(ValueLayout.JAVA_FLOAT, ROWS + r)).isNaN();
                assertThat(y.getAtIndex(ValueLayout.JAVA_FLOAT, 2 * ROWS + r)).isEqualTo(3);
            }
        }
    }

    private static void compare(CpuKernels kernels, int bits, int rows, int cols, int tokens) {
        Random random = new Random(bits * 1000L + cols + tokens);
        try (Arena arena = Arena.ofConfined()) {
            int[] codes = new int[rows * cols];
            MemorySegment weights = arena.allocate((long) rows * cols * bits / 8);
            for (int i = 0; i < codes.length; i++) {
                codes[i] = random.nextInt(1 << bits) - (1 << bits - 1);
                long at = (long) i * bits / 8;
                int shift = bits * i % 8;
                weights.set(ValueLayout.JAVA_BYTE, at, (byte)
                        (weights.get(ValueLayout.JAVA_BYTE, at) | (codes[i] & (1 << bits) - 1) << shift));
            }
            MemorySegment x = arena.allocate(4L * tokens * cols);
            int[] inputs = random.ints((long) tokens * cols, -128, 128).toArray();
            for (int i = 0; i < inputs.length; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, inputs[i]);
            }
            MemorySegment y = arena.allocate(4L * tokens * rows);
            DType type = bits == 8 ? DType.CODES_8 : DType.CODES_4;
            kernels.matmul(new WeightMatrix(type, rows, cols, weights), 0, rows, x, tokens, y);
            for (int i = 0; i < tokens * rows; i++) {
                long sum = 0;
                for (int k = 0; k < cols; k++) {
                    sum += (long) codes[i % rows * cols + k] * inputs[i / rows * cols + k];
                }
                assertThat(y.getAtIndex(ValueLayout.JAVA_FLOAT, i))
                        .as(
                                "%s: %d bits, [%d, %d], output %d of %d tokens",
                                kernels.name(), bits, rows, cols, i, tokens)
                        .isEqualTo((float) sum);
            }
        }
    }

    private static MemorySegment ones(Arena arena, int n) {
        MemorySegment memory = arena.allocate(n);
        return memory.fill((byte) 1);
    }
}
