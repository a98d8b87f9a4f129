package dev.obr.compressor.obr;

/** Where a row is split into the columns that are rounded first and those that take their error. */
public enum AlphaRule {
    /** At column {@code trunc(alpha · cols)}: as the published code does. */
    COLUMN,
    /** After {@code floor(alpha · kept)} kept entries of the row: as the paper prints it. */
    KEPT
}
