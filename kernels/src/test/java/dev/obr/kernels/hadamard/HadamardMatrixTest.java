package dev.obr.kernels.hadamard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HadamardMatrixTest {
    @ParameterizedTest
    @ValueSource(
            ints = {
                1, 2, 4, 8, 64, 12, 20, 24, 28, 36, 40, 44, 52, 60, 68, 76, 80, 84, 100, 108, 140, 148, 156, 172, 180,
                244, 924
            })
    void rowsAreOrthogonal(int order) {
        HadamardMatrix h = HadamardMatrix.of(order).orElseThrow();
        assertThat(h.order()).isEqualTo(order);
        int[][] rows = new int[order][order];
        for (int i = 0; i < order; i++) {
            for (int j = 0; j < order; j++) {
                rows[i][j] = h.at(i, j);
                assertThat(Math.abs(rows[i][j])).isEqualTo(1);
            }
        }
        for (int i = 0; i < order; i++) {
            for (int j = 0; j <= i; j++) {
                int product = 0;
                for (int c = 0; c < order; c++) {
                    product += rows[i][c] * rows[j][c];
                }
                assertThat(product).isEqualTo(i == j ? order : 0);
            }
        }
    }

    /** 92 and 116 exist, but by none of the constructions here. */
    @ParameterizedTest
    @ValueSource(ints = {-4, 0, 3, 6, 9, 10, 14, 15, 92, 116, 5000, 1 << 30})
    void saysWhereThereIsNone(int order) {
        assertThat(HadamardMatrix.of(order)).isEmpty();
    }

    /** Paley's first kind is skew: H + Hᵀ = 2 I, so a transposed table would be another rotation. */
    @Test
    void theFirstKindIsSkew() {
        HadamardMatrix h = HadamardMatrix.of(12).orElseThrow();
        for (int i = 0; i < 12; i++) {
            for (int j = 0; j < 12; j++) {
                assertThat(h.at(i, j) + h.transposed().at(i, j)).isEqualTo(i == j ? 2 : 0);
            }
        }
    }
}
