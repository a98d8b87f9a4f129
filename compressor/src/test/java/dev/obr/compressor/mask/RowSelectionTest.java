package dev.obr.compressor.mask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What is chosen without sorting is what sorting chooses, ties, padding and odd widths included. */
class RowSelectionTest {
    @Property(tries = 300, seed = "1")
    void choosesAsSortingDoes(
            @ForAll Pattern pattern,
            @ForAll @IntRange(min = 1, max = 200) int cols,
            @ForAll @IntRange(max = 9) int tenths,
            @ForAll boolean manyTies,
            @ForAll @IntRange(max = 100_000) int seed) {
        if (pattern == Pattern.DENSE) {
            return;
        }
        Random random = new Random(seed);
        Matrix scores = Matrix.zeros(1, cols);
        float[] values = new float[cols];
        for (int c = 0; c < cols; c++) {
            values[c] = random.nextInt(manyTies ? 3 : 1000) * (random.nextBoolean() ? 1 : -1);
            scores.set(0, c, Math.abs(values[c]));
        }
        RowSelection selection = new RowSelection(pattern, cols, tenths / 10.0);
        float[] kept = new float[cols];
        selection.choose(new float[cols], kept); // nothing of an earlier row stays
        selection.choose(values, kept);
        boolean[] expected =
                MaskSelection.select(scores, pattern, tenths / 10.0).kept();
        for (int c = 0; c < cols; c++) {
            assertThat(kept[c]).as("column %d", c).isEqualTo(expected[c] ? 1 : 0);
        }
    }
}
