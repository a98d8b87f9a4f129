package dev.obr.runtime.grammar;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * How small or large a number may be.
 *
 * @param excluded whether {@code value} itself is not allowed
 */
record Bound(String keyword, BigDecimal value, boolean excluded) {
    private static final BigDecimal LIMIT = BigDecimal.valueOf(DigitRules.LIMIT);

    static final Bound LOWEST = new Bound("minimum", LIMIT.negate(), false);
    static final Bound HIGHEST = new Bound("maximum", LIMIT, false);

    /** What {@code keyword} says, or null where it is absent; values beyond what is written at all become the last that is. */
    static @Nullable Bound of(Schema schema, String keyword, boolean excluded) {
        BigDecimal value = schema.number(keyword);
        if (value == null) {
            return null;
        }
        boolean lower = keyword.endsWith("inimum");
        if (value.abs().compareTo(LIMIT) <= 0) {
            return new Bound(keyword, value, excluded);
        }
        if (lower == value.signum() > 0) {
            throw schema.unusable(keyword, "from -" + LIMIT + " to " + LIMIT);
        }
        return lower ? LOWEST : HIGHEST;
    }

    static @Nullable Bound highest(@Nullable Bound a, @Nullable Bound b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return a.value.compareTo(b.value) > 0 ? a : b; // of equal ones the second, which excludes
    }

    static @Nullable Bound lowest(@Nullable Bound a, @Nullable Bound b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return a.value.compareTo(b.value) < 0 ? a : b;
    }

    /** The smallest integer that a lower bound allows. */
    long ceiling() {
        long above = value.setScale(0, RoundingMode.CEILING).longValueExact();
        return excluded && Schema.isWhole(value) ? above + 1 : above;
    }

    /** The largest integer that an upper bound allows. */
    long floor() {
        long below = value.setScale(0, RoundingMode.FLOOR).longValueExact();
        return excluded && Schema.isWhole(value) ? below - 1 : below;
    }

    /** The bound itself, which must be whole. */
    long whole(Schema schema) {
        if (!Schema.isWhole(value)) {
            throw schema.unusable(keyword, "a whole number (fractions as bounds are not supported)");
        }
        return value.longValueExact();
    }
}
