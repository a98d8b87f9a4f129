package dev.obr.kernels.emulator;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * A binary floating point format by its definition: numbers are whole multiples of a power of two, and rounding picks one of the two neighbours of an exact value.
 *
 * @param exponentBits of the format
 * @param fractionBits stored ones
 */
record FloatFormat(int exponentBits, int fractionBits) {
    static final FloatFormat F16 = new FloatFormat(5, 10);
    static final FloatFormat BF16 = new FloatFormat(8, 7);
    static final FloatFormat F32 = new FloatFormat(8, 23);
    static final FloatFormat F64 = new FloatFormat(11, 52);

    /** nearest even, to zero, down, up. */
    enum Mode {
        RN,
        RZ,
        RM,
        RP
    }

    static FloatFormat of(PtxType type) {
        return switch (type) {
            case F16 -> F16;
            case BF16 -> BF16;
            case F32 -> F32;
            case F64 -> F64;
            default -> throw new IllegalArgumentException(type.toString());
        };
    }

    int bits() {
        return 1 + exponentBits + fractionBits;
    }

    private int bias() {
        return (1 << exponentBits - 1) - 1;
    }

    private long exponentField(long bits) {
        return bits >>> fractionBits & (1L << exponentBits) - 1;
    }

    private long fraction(long bits) {
        return bits & (1L << fractionBits) - 1;
    }

    boolean finite(long bits) {
        return exponentField(bits) != (1L << exponentBits) - 1;
    }

    boolean isNan(long bits) {
        return !finite(bits) && fraction(bits) != 0;
    }

    boolean negative(long bits) {
        return (bits >>> bits() - 1 & 1) != 0;
    }

    /** The value of a finite number. */
    BigDecimal value(long bits) {
        long exponent = exponentField(bits);
        BigInteger significand = BigInteger.valueOf(fraction(bits) + (exponent == 0 ? 0 : 1L << fractionBits));
        BigDecimal value = scale(new BigDecimal(significand), (int) Math.max(exponent, 1) - bias() - fractionBits);
        return negative(bits) ? value.negate() : value;
    }

    private static BigDecimal scale(BigDecimal value, int power) {
        BigDecimal two = BigDecimal.valueOf(2);
        return power >= 0 ? value.multiply(two.pow(power)) : value.multiply(new BigDecimal("0.5").pow(-power));
    }

    long infinity(boolean negative) {
        return ((1L << exponentBits) - 1 << fractionBits) | (negative ? 1L << bits() - 1 : 0);
    }

    /**
     * Rounds numerator / denominator, which are not both exact decimals.
     *
     * @param zeroNegative the sign of an exact zero
     */
    long round(BigDecimal numerator, BigDecimal denominator, Mode mode, boolean zeroNegative) {
        BigDecimal n = denominator.signum() < 0 ? numerator.negate() : numerator;
        BigDecimal d = denominator.abs();
        if (n.signum() == 0) {
            return zeroNegative ? 1L << bits() - 1 : 0;
        }
        boolean negative = n.signum() < 0;
        n = n.abs();
        // The largest number that is not larger: bits of positive numbers are in order.
        long low = 0;
        long high = infinity(false);
        while (high - low > 1) {
            long middle = low + high >>> 1;
            if (value(middle).multiply(d).compareTo(n) <= 0) {
                low = middle;
            } else {
                high = middle;
            }
        }
        BigDecimal below = value(low).multiply(d);
        boolean exact = below.compareTo(n) == 0;
        boolean up =
                switch (mode) {
                    case RN -> {
                        // Infinity stands where the next number would.
                        BigDecimal above = high == infinity(false)
                                ? value(low).multiply(BigDecimal.valueOf(2)).subtract(value(low - 1)).multiply(d)
                                : value(high).multiply(d);
                        int nearer = n.subtract(below).compareTo(above.subtract(n));
                        yield nearer > 0 || (nearer == 0 && (low & 1) != 0);
                    }
                    case RZ -> false;
                    case RM -> negative;
                    case RP -> !negative;
                };
        long magnitude = exact || !up ? low : high;
        return magnitude | (negative ? 1L << bits() - 1 : 0);
    }

    long round(BigDecimal value, Mode mode, boolean zeroNegative) {
        return round(value, BigDecimal.ONE, mode, zeroNegative);
    }

    /** Corners, and numbers that are hard to round. */
    long[] values() {
        long one = (long) bias() << fractionBits;
        long sign = 1L << bits() - 1;
        return new long[] {
            0, sign, one, one | sign, one + 1, one - 1 | sign, one + (1L << fractionBits - 1), 1, 1 | sign,
            (1L << fractionBits) - 1, 1L << fractionBits, infinity(false), infinity(true), infinity(false) - 1,
            infinity(true) - 1, infinity(false) | 1L << fractionBits - 1, one + (5L << fractionBits) + 3,
            one + 0x2aaL | sign, one - (3L << fractionBits) + 5, one + ((fractionBits + 1L) << fractionBits),
            one - ((fractionBits + 1L) << fractionBits) | sign
        };
    }
}
