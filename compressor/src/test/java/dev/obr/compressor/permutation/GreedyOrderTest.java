package dev.obr.compressor.permutation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class GreedyOrderTest {
    /** Two rows in the first weight, one in the second: S = (1 + 4 + 16) / 3 / 0.5 and (0 + 9 + 9) / 3 / 2. */
    @Test
    void scoresAreMeansOverAllRows() {
        Matrix first = new Matrix(2, 2, new float[] {1, 0, -2, 3});
        Matrix second = new Matrix(1, 2, new float[] {4, -3});
        assertThat(GreedyOrder.scores(List.of(first, second), new double[] {0.5, 2}))
                .containsExactly(14, 3);
    }

    /**
     * 16 columns, column c with score c: sorted 15 14 | 13 12 | 11 10 | 9 8 | 7 6 | 5 4 | 3 2 | 1 0 are pairs 0 to 7, and with q = 2 the first chunk has pairs 0, 2, 4 and 6, the
     * second 1, 3, 5 and 7.
     */
    @Test
    void chunksTakeOnePairOfEveryRank() {
        double[] scores = IntStream.range(0, 16).asDoubleStream().toArray();
        assertThat(GreedyOrder.of(scores, Pattern.PAIRS_4_OF_8))
                .isEqualTo(ColumnOrder.of(15, 14, 11, 10, 7, 6, 3, 2, 13, 12, 9, 8, 5, 4, 1, 0));
        assertThat(GreedyOrder.of(scores, Pattern.TWO_OF_FOUR))
                .isEqualTo(ColumnOrder.of(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0));
    }

    /** 11 columns: one chunk, and the 3 that matter least beside the padding. */
    @Test
    void whatFillsNoChunkStaysAtTheEnd() {
        double[] scores = {5, 0, 8, 9, 1, 7, 6, 2, 3, 10, 4};
        assertThat(GreedyOrder.of(scores, Pattern.PAIRS_4_OF_8))
                .isEqualTo(ColumnOrder.of(9, 3, 2, 5, 6, 0, 10, 8, 7, 4, 1));
    }

    @Property(tries = 200)
    void everyColumnStandsOnce(@ForAll @IntRange(max = 200) int cols, @ForAll long seed) {
        double[] scores = new Random(seed).doubles(cols).toArray();
        for (Pattern pattern : Pattern.values()) {
            if (pattern.grouped()) {
                int[] columns = GreedyOrder.of(scores, pattern).columns();
                assertThat(Arrays.stream(columns).sorted().toArray())
                        .containsExactly(IntStream.range(0, cols).toArray());
                // Whole groups: the best unit of every group beats the second of any.
                for (int at = 0;
                        at + pattern.group() <= cols / pattern.group() * pattern.group();
                        at += pattern.group()) {
                    assertThat(scores[columns[at]]).isGreaterThanOrEqualTo(scores[columns[pattern.unit()]]);
                }
            }
        }
    }
}
