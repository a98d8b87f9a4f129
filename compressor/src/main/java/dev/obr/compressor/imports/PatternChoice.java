package dev.obr.compressor.imports;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the pattern that all weights of a model fit and that stores them in the fewest bytes. */
final class PatternChoice {
    /** Grouped patterns by bytes, and of equal ones the stricter first. */
    private static final List<Pattern> GROUPED =
            List.of(Pattern.PAIRS_4_OF_8, Pattern.TWO_OF_FOUR, Pattern.FOUR_OF_EIGHT, Pattern.HALF_OF_64);

    /** Zeros from which on one bit for each entry costs less than four bits for each zero. */
    private static final double WORTH_AN_INDEX = 0.25;

    private final @Nullable Pattern asked;
    private final List<Pattern> fitting = new ArrayList<>(GROUPED);
    private long zeros;
    private long entries;

    /** @param asked the pattern to take; null for the best */
    PatternChoice(@Nullable Pattern asked) {
        this.asked = asked;
    }

    /**
     * Takes a weight into account.
     *
     * @param name of the tensor, for messages
     * @throws ObrException where the weight does not fit the pattern that was asked for
     */
    void add(String name, RecoveredWeight weight) {
        zeros += weight.zeros();
        entries += weight.codes().length;
        if (asked == null) {
            fitting.removeIf(pattern -> misfit(pattern, weight) >= 0);
            return;
        }
        int row = misfit(asked, weight);
        if (row >= 0) {
            throw new ObrException(name + ": row " + row + " keeps more than the pattern " + asked
                    + " allows; leave --pattern away to get one that fits");
        }
    }

    /** The pattern for all weights added. */
    Pattern pattern() {
        if (asked != null) {
            return asked;
        }
        if (!fitting.isEmpty()) {
            return fitting.getFirst();
        }
        return zeroShare() > WORTH_AN_INDEX ? Pattern.UNSTRUCTURED : Pattern.DENSE;
    }

    /** Share of all entries that are zero, pruned or rounded to it. */
    double zeroShare() {
        return entries == 0 ? 0 : (double) zeros / entries;
    }

    /** The first row with a group that keeps more than the pattern allows, or -1. */
    private static int misfit(Pattern pattern, RecoveredWeight weight) {
        if (!pattern.grouped()) {
            return -1;
        }
        for (int r = 0; r < weight.rows(); r++) {
            for (int start = 0; start < weight.cols(); start += pattern.group()) {
                int end = Math.min(weight.cols(), start + pattern.group());
                if (kept(weight.codes(), r * weight.cols(), start, end, pattern.unit()) > pattern.keptPerGroup()) {
                    return r;
                }
            }
        }
        return -1;
    }

    /** Entries that columns {@code start .. end} of a row keep, in whole units. */
    private static int kept(byte[] codes, int row, int start, int end, int unit) {
        int kept = 0;
        for (int c = start; c < end; c += unit) {
            boolean any = codes[row + c] != 0 || c + unit - 1 < end && codes[row + c + unit - 1] != 0;
            kept += any ? unit : 0;
        }
        return kept;
    }
}
