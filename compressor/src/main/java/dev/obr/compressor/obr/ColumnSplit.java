package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;

/** Where each row is split: the kept entries before the column are rounded, those from it on take their error. */
record ColumnSplit(double alpha, AlphaRule rule) {
    /** The first column of {@code row} that takes errors; {@code cols} if none does. */
    int firstColumn(Mask mask, int row) {
        if (rule == AlphaRule.COLUMN) {
            return (int) (mask.cols() * alpha);
        }
        int before = (int) (mask.keptInRow(row) * alpha);
        int col = 0;
        for (int passed = 0; col < mask.cols(); col++) {
            if (mask.keeps(row, col) && passed++ == before) {
                break;
            }
        }
        return col;
    }
}
