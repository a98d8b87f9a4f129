package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.kernels.linalg.Matrix;

/** What a {@link GptqSweep} may keep, fixed before or chosen on the way. */
interface SweepMask {
    /** Called before the columns [from, to) are swept, all rows updated up to {@code from}. */
    default void beginBlock(Matrix weight, int from, int to) {}

    /** Called before column {@code col} of {@code row} is rounded, the row updated up to it. Many threads call at once, each for rows of its own. */
    default void beginColumn(Matrix weight, int row, int col) {}

    /** Whether (row, col) is kept; asked when it is rounded. */
    boolean keeps(int row, int col);

    /** A mask chosen before. */
    record Fixed(Mask mask) implements SweepMask {
        @Override
        public boolean keeps(int row, int col) {
            return mask.keeps(row, col);
        }
    }

    /** A mask chosen before. */
    static SweepMask fixed(Mask mask) {
        return new Fixed(mask);
    }
}
