package dev.obr.compressor.mask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Masks against a choice made by trying every one, and exact counts for every width. */
class MaskSelectionTest {
    /** In each group of 8, the 2 pairs of 4 kept are those of the largest sum of squares: found here by trying all six. */
    @Property(tries = 50, seed = "1")
    void pairsAreChosenByTheirSumOfSquares(@ForAll @IntRange(max = 10_000) int seed) {
        float[] scores = scores(8, seed);
        Mask mask = MaskSelection.select(new Matrix(1, 8, scores), Pattern.PAIRS_4_OF_8, 0.5);
        double best = -1;
        int bestPairs = 0;
        for (int pairs = 0; pairs < 16; pairs++) {
            if (Integer.bitCount(pairs) == 2) {
                double sum = 0;
                for (int c = 0; c < 8; c++) {
                    sum += (pairs >> (c / 2) & 1) * (double) scores[c] * scores[c];
                }
                if (sum > best) {
                    best = sum;
                    bestPairs = pairs;
                }
            }
        }
        for (int c = 0; c < 8; c++) {
            assertThat(mask.keeps(0, c)).isEqualTo((bestPairs >> (c / 2) & 1) == 1);
        }
    }

    /** Every kept score of a group is at least every pruned one. */
    @Property(tries = 40, seed = "1")
    void theLargestOfEachGroupAreKept(
            @ForAll @IntRange(min = 1, max = 200) int cols, @ForAll @IntRange(max = 999) int seed) {
        Matrix scores = new Matrix(1, cols, scores(cols, seed));
        for (Pattern pattern : List.of(Pattern.TWO_OF_FOUR, Pattern.FOUR_OF_EIGHT, Pattern.HALF_OF_64)) {
            Mask mask = MaskSelection.select(scores, pattern, 0.5);
            for (int from = 0; from < cols; from += pattern.group()) {
                int to = Math.min(from + pattern.group(), cols);
                List<Float> kept = new ArrayList<>();
                List<Float> pruned = new ArrayList<>();
                for (int c = from; c < to; c++) {
                    (mask.keeps(0, c) ? kept : pruned).add(scores.at(0, c));
                }
                // padding is pruned first: a group keeps all it has, up to half a group
                assertThat(kept).hasSize(Math.min(pattern.keptPerGroup(), to - from));
                for (float k : kept) {
                    assertThat(pruned).allMatch(p -> p <= k);
                }
            }
        }
    }

    /** Padded pairs go first; a pair that is half padding counts by the weight it has. */
    @Property(tries = 40, seed = "1")
    void pairsOfPaddedGroups(@ForAll @IntRange(min = 1, max = 50) int cols, @ForAll @IntRange(max = 999) int seed) {
        Mask mask = MaskSelection.select(new Matrix(1, cols, scores(cols, seed)), Pattern.PAIRS_4_OF_8, 0.5);
        for (int from = 0; from < cols; from += 8) {
            int pairs = Math.ceilDiv(Math.min(8, cols - from), 2);
            int kept = 0;
            for (int pair = 0; pair < pairs; pair++) {
                int c = from + 2 * pair;
                kept += mask.keeps(0, c) ? 1 : 0;
                assertThat(c + 1 < cols && mask.keeps(0, c + 1)).isEqualTo(c + 1 < cols && mask.keeps(0, c));
            }
            assertThat(kept).isEqualTo(Math.min(2, pairs));
        }
    }

    @Property(tries = 40, seed = "1")
    void unstructuredRowsLoseExactlyTheirShare(
            @ForAll @IntRange(min = 1, max = 300) int cols, @ForAll @DoubleRange(max = 0.99) double sparsity) {
        Mask mask = MaskSelection.select(new Matrix(2, cols, scores(2 * cols, cols)), Pattern.UNSTRUCTURED, sparsity);
        assertThat(mask.keptInRow(0)).isEqualTo(cols - (int) (cols * sparsity));
        assertThat(mask.keptInRow(1)).isEqualTo(mask.keptInRow(0));
    }

    @Test
    void equalScoresArePrunedFromTheLeft() {
        Matrix equal = new Matrix(1, 8, new float[8]);
        assertThat(MaskSelection.select(equal, Pattern.TWO_OF_FOUR, 0.5).kept())
                .containsExactly(false, false, true, true, false, false, true, true);
        assertThat(MaskSelection.select(equal, Pattern.UNSTRUCTURED, 0.25).kept())
                .containsExactly(false, false, true, true, true, true, true, true);
        assertThat((int) (64 * 0.3)).isEqualTo(19); // truncated as in the published code
    }

    @Test
    void randomMasksFollowTheirSeed() {
        assertThat(Scores.random(3, 20, 5).values())
                .isEqualTo(Scores.random(3, 20, 5).values())
                .isNotEqualTo(Scores.random(3, 20, 6).values());
    }

    private static float[] scores(int count, long seed) {
        Random random = new Random(seed);
        float[] scores = new float[count];
        for (int i = 0; i < count; i++) {
            scores[i] = random.nextFloat();
        }
        return scores;
    }
}
