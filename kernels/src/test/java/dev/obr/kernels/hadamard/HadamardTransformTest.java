package dev.obr.kernels.hadamard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HadamardTransformTest {
    private static float[] random(int n) {
        Random random = new Random(n);
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    /** Entry (i, j) of H ⊗ S: S's sign is the parity of the bits that both indices have set. */
    private static double product(HadamardTransform t, float[] x, int i) {
        int block = t.size() / t.factor().order();
        double sum = 0;
        for (int j = 0; j < t.size(); j++) {
            int sylvester = Integer.bitCount(i % block & j % block) % 2 == 0 ? 1 : -1;
            sum += t.factor().at(i / block, j / block) * sylvester * x[j];
        }
        return sum / Math.sqrt(t.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 12, 24, 64, 96, 172 * 4, 76 * 4, 44 * 8, 148 * 2})
    void isTheKroneckerProduct(int n) {
        HadamardTransform t = HadamardTransform.of(n).orElseThrow();
        float[] x = random(n);
        float[] y = x.clone();
        t.apply(y, 0);
        double[] exact = new double[n];
        for (int i = 0; i < n; i++) {
            exact[i] = x[i];
        }
        t.applyAcross(exact, 0, 1);
        for (int i = 0; i < n; i++) {
            double expected = product(t, x, i);
            assertThat((double) y[i]).isCloseTo(expected, within(1e-5));
            assertThat(exact[i]).isCloseTo(expected, within(1e-12));
        }
        t.applyInverse(y, 0);
        for (int i = 0; i < n; i++) {
            assertThat(y[i]).isCloseTo(x[i], within(1e-5f));
        }
    }

    /** Llama, Qwen, SmolLM and TinyLlama sizes, with the K that QuaRot takes or, where it has none, the smallest. */
    @ParameterizedTest
    @CsvSource({
        "4096, 1",
        "11008, 172",
        "13824, 108",
        "14336, 28",
        "18944, 148",
        "27648, 108",
        "8960, 140",
        "5120, 40",
        "896, 28",
        "1536, 12",
        "3072, 12",
        "576, 36",
        "4864, 76",
        "29568, 924",
        "5632, 44",
        "172, 172",
        "24, 12"
    })
    void knowsTheSizesOfModels(int n, int k) {
        assertThat(HadamardTransform.of(n).orElseThrow().factor().order()).isEqualTo(k);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 3, 9, 14, 15, 92, 1848 * 3 + 1})
    void saysWhereThereIsNone(int n) {
        assertThat(HadamardTransform.of(n)).isEmpty();
    }

    /** Columns of [n, width] are vectors of their own; in memory a row starts at any byte. */
    @Test
    void appliesAcrossRowsAndInSegments() {
        HadamardTransform t = HadamardTransform.of(12).orElseThrow();
        float[] x = random(12 * 5 + 3);
        float[] across = x.clone();
        t.applyAcross(across, 2, 5);
        assertThat(new float[] {across[0], across[1], across[62]}).containsExactly(x[0], x[1], x[62]);
        for (int col = 0; col < 5; col++) {
            float[] column = new float[12];
            for (int row = 0; row < 12; row++) {
                column[row] = x[2 + row * 5 + col];
            }
            t.apply(column, 0);
            for (int row = 0; row < 12; row++) {
                assertThat(across[2 + row * 5 + col]).isEqualTo(column[row]);
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(12 * 4 + 3);
                for (int row = 0; row < 12; row++) {
                    memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 3 + 4L * row, x[2 + row * 5 + col]);
                }
                t.apply(memory, 3);
                assertThat(memory.asSlice(3).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED))
                        .containsExactly(column);
            }
        }
    }
}
