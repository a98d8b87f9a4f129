package dev.obr.kernels.packed;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Where the mask of a weight may keep entries.
 *
 * <pre>
 * dense         everything is kept
 * unstructured  anywhere; every row keeps its own number
 * 2:4           2 of each aligned 4 columns
 * 4:8           4 of each aligned 8 columns
 * 32:64         32 of each aligned 64 columns
 * 4:8p          2 of the 4 aligned pairs in each aligned 8 columns: what INT4 sparse tensor cores execute
 * </pre>
 */
public enum Pattern {
    DENSE("dense", 1, 1),
    UNSTRUCTURED("unstructured", 1, 1),
    TWO_OF_FOUR("2:4", 4, 1),
    FOUR_OF_EIGHT("4:8", 8, 1),
    HALF_OF_64("32:64", 64, 1),
    PAIRS_4_OF_8("4:8p", 8, 2);

    private final String label;
    private final int group;
    private final int unit;

    Pattern(String label, int group, int unit) {
        this.label = label;
        this.group = group;
        this.unit = unit;
    }

    /** The name that options, files and tables use. */
    public String label() {
        return label;
    }

    /** Columns that the pattern counts together, aligned to a multiple of their number; 1 where it counts none. */
    public int group() {
        return group;
    }

    /** Neighbouring columns that are kept or pruned together: 2 for {@code 4:8p}, else 1. */
    public int unit() {
        return unit;
    }

    /** Whether exactly half of each group is kept. */
    public boolean grouped() {
        return group > 1;
    }

    /** Entries kept in each group of a grouped pattern. */
    public int keptPerGroup() {
        return group / 2;
    }

    /** {@code cols} rounded up to whole groups; the columns added are zeros. */
    public int paddedColumns(int cols) {
        return Math.ceilDiv(cols, group) * group;
    }

    /**
     * The pattern of that name.
     *
     * @throws ObrException if there is none, naming those there are
     */
    public static Pattern parse(String label) {
        return Arrays.stream(values())
                .filter(pattern -> pattern.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("\"" + label + "\" is no sparsity pattern: use one of "
                        + Arrays.stream(values()).map(Pattern::label).collect(Collectors.joining(", ")) + "."));
    }

    @Override
    public String toString() {
        return label;
    }
}
