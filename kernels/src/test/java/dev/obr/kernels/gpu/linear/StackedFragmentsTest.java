package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.check.SparseOperands;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights one below the other: each one's codes and scales are where it begins, and zeros between them. */
class StackedFragmentsTest {
    private static final int COLUMNS = 200;

    @ParameterizedTest
    @EnumSource
    void eachWeightLiesWhereItBegins(Pattern pattern) {
        int[] rows = {16, 20, 1, 12};
        int[] firsts = {0, 16, 48, 64};
        int features = 80; // 64 and 12, filled up to 8
        Random random = new Random(7);
        List<PackedMatrix> matrices = Arrays.stream(rows)
                .mapToObj(n -> SparseOperands.weight(pattern, n, COLUMNS, 8, random))
                .toList();
        byte[] codes = new byte[features * COLUMNS];
        float[] scales = new float[features];
        for (int i = 0; i < rows.length; i++) {
            for (int row = 0; row < rows[i]; row++) {
                matrices.get(i).unpackRow(row, codes, (firsts[i] + row) * COLUMNS);
                scales[firsts[i] + row] = matrices.get(i).scale(row);
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            StackedFragments stacked = StackedFragments.of(matrices, arena);
            assertThat(stacked.firsts()).containsExactly(0, 16, 48, 64);
            assertThat(stacked.fragments().features()).isEqualTo(features);
            assertThat(stacked.fragments().unpack()).isEqualTo(codes);
            assertThat(stacked.fragments().scales().toArray(DeviceRun.FLOAT)).isEqualTo(scales);
        }
    }

    @Test
    void weightsOnTwoPatternsAreRefused() {
        Random random = new Random(1);
        List<PackedMatrix> matrices = List.of(
                SparseOperands.weight(Pattern.DENSE, 16, COLUMNS, 8, random),
                SparseOperands.weight(Pattern.TWO_OF_FOUR, 16, COLUMNS, 8, random));
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> StackedFragments.of(matrices, arena))
                    .isInstanceOf(ObrException.class)
                    .hasMessageStartingWith("linear layers that share their input are on the patterns dense and 2:4");
        }
    }
}
