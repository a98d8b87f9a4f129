package dev.obr.bench.gemm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.RandomMatrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The weights that cuSPARSE multiplies. */
class SparseHalvesTest {
    @Test
    void rowsHoldWhatTheMaskKeeps() {
        PackedMatrix weight = RandomMatrix.packed(Pattern.UNSTRUCTURED, 4, 64, 192, 0.25f, 5);
        CsrHalves csr = CsrHalves.of(weight);
        assertThat(csr.starts()).hasSize(65).startsWith(0, 96).endsWith(64 * 96);
        assertThat(csr.indices()).hasSameSizeAs(csr.values()).hasSize(64 * 96);
        for (int row = 0; row < 64; row++) {
            float[] expected = new float[192];
            weight.dequantizeRow(row, expected, 0);
            float[] found = new float[192];
            for (int entry = csr.starts()[row]; entry < csr.starts()[row + 1]; entry++) {
                assertThat(entry == csr.starts()[row] || csr.indices()[entry] > csr.indices()[entry - 1])
                        .isTrue();
                found[csr.indices()[entry]] = Float.float16ToFloat(csr.values()[entry]);
            }
            assertThat(found).isEqualTo(expected); // quarters are half floats
        }
    }

    @Test
    void everyRowOfBlocksKeepsHalf() {
        BlockedEllHalves ell = BlockedEllHalves.random(new GemmShape(128, 320), 32, 1);
        assertThat(ell.keptColumns()).isEqualTo(160);
        assertThat(ell.values()).hasSize(128 * 160);
        assertThat(ell.blocks()).hasSize(4 * 5);
        for (int row = 0; row < 4; row++) {
            int[] blocks = Arrays.copyOfRange(ell.blocks(), row * 5, row * 5 + 5);
            assertThat(blocks).isSorted().doesNotHaveDuplicates();
            assertThat(blocks[0]).isNotNegative();
            assertThat(blocks[4]).isLessThan(10);
        }
    }
}
