package dev.obr.kernels.emulator;

import java.math.BigDecimal;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a cvt computes. From floats to integers the value is clamped to the integer's range and what is no number becomes 0 (with 64 bits on either side the integer's lowest, or 2^63); between
 * integers it is cut off, or clamped with .sat; to floats it is rounded once.
 *
 * @param rounding to a float, where something is lost
 * @param whole rounding to whole numbers
 */
record Conversion(
        PtxType to,
        PtxType from,
        @Nullable Rounding rounding,
        @Nullable Whole whole,
        boolean flush,
        boolean saturate,
        boolean relu) {
    /** How floats become integers, or whole floats. */
    enum Whole {
        RNI,
        RZI,
        RMI,
        RPI;

        double of(double value) {
            return switch (this) {
                case RNI -> Math.rint(value);
                case RZI -> value < 0 ? Math.ceil(value) : Math.floor(value);
                case RMI -> Math.floor(value);
                case RPI -> Math.ceil(value);
            };
        }
    }

    /** Whether there is such a conversion. */
    void check() {
        boolean toFloat = to.isFloat();
        boolean fromFloat = from.isFloat();
        if (to.untyped() || from.untyped() || to == PtxType.PRED || from == PtxType.PRED || from.packed()) {
            throw new DecodeFault("cannot convert " + from + " to " + to);
        }
        boolean narrows =
                toFloat && (!fromFloat || to.bits() < from.bits() || (to.bits() == from.bits() && to != from));
        if (narrows != (rounding != null)) {
            throw new DecodeFault(
                    narrows ? "expected a rounding such as .rn" : "nothing is rounded from " + from + " to " + to);
        }
        boolean wholes = fromFloat && (!toFloat || to == from);
        if (whole != null && !wholes || whole == null && fromFloat && !toFloat) {
            throw new DecodeFault(wholes ? "expected a rounding such as .rni" : "unknown modifier of a conversion");
        }
        if (relu && !(toFloat && to.bits() == 16)) {
            throw new DecodeFault(".relu is for 16-bit floats");
        }
    }

    /** From the bits of a register, of which the type's low ones count, to those of a register of so many bits. */
    LongUnaryOperator function(int bits) {
        if (!from.isFloat()) {
            LongUnaryOperator value = x -> extend(x, from);
            return to.isFloat()
                    ? x -> toFloat(value.applyAsLong(x))
                    : x -> register(saturate ? clamp(value.applyAsLong(x), from, to) : value.applyAsLong(x), to, bits);
        }
        return to.isFloat() ? x -> floatBits(read(x)) : x -> register(toInteger(read(x)), to, bits);
    }

    /** The low bits of a type, extended by its sign. */
    static long extend(long value, PtxType type) {
        int unused = 64 - type.bits();
        return type.signed() ? value << unused >> unused : value << unused >>> unused;
    }

    /** An integer as it stands in a register that may be wider: extended, and 16 bits and less with zeros above. */
    private static long register(long value, PtxType type, int bits) {
        long extended = extend(value, type);
        return bits >= 32 ? extended : extended & (1L << bits) - 1;
    }

    private static long clamp(long value, PtxType from, PtxType to) {
        if (from == PtxType.U64 && value < 0) {
            return to.signed() ? most(to) : to == PtxType.U64 ? value : most(to);
        }
        if (to == PtxType.U64) {
            return Math.max(value, 0);
        }
        return Math.clamp(value, least(to), most(to));
    }

    private static long least(PtxType type) {
        return type.signed() ? -1L << type.bits() - 1 : 0;
    }

    private static long most(PtxType type) {
        return (1L << type.bits() - (type.signed() ? 1 : 0)) - 1;
    }

    private double read(long bits) {
        double value = from == PtxType.F64 ? Double.longBitsToDouble(bits) : HalfOps.widen(from, (int) bits);
        return flush && from == PtxType.F32 ? FloatOps.flush((float) value) : value;
    }

    private long toInteger(double value) {
        if (Double.isNaN(value)) {
            return from == PtxType.F64 || to.bits() == 64 ? 1L << to.bits() - 1 : 0;
        }
        double rounded = whole == null ? value : whole.of(value);
        if (to == PtxType.U64) {
            if (rounded < 0x1p63) {
                return (long) Math.max(rounded, 0);
            }
            return rounded >= 0x1p64 ? -1 : (long) (rounded - 0x1p63) ^ Long.MIN_VALUE;
        }
        return Math.clamp((long) rounded, least(to), most(to));
    }

    private long toFloat(long value) {
        boolean negativeAsUnsigned = from == PtxType.U64 && value < 0;
        if (rounding != null && rounding != Rounding.NEAREST) {
            BigDecimal exact = new BigDecimal(value);
            if (negativeAsUnsigned) {
                exact = exact.add(BigDecimal.TWO.pow(64));
            }
            return directed(exact, rounding, to);
        }
        // Half of it with its last bit kept rounds as the whole does.
        long half = value >>> 1 | value & 1;
        return switch (to) {
            case F64 -> Double.doubleToRawLongBits(negativeAsUnsigned ? 2.0 * half : (double) value);
            case F32 -> Float.floatToRawIntBits(saturated(negativeAsUnsigned ? 2f * half : (float) value));
            default -> HalfOps.narrow(to, negativeAsUnsigned ? 2.0 * half : (double) value);
        };
    }

    private float saturated(float value) {
        return saturate ? FloatOps.saturate(value) : value;
    }

    private static long directed(BigDecimal exact, Rounding rounding, PtxType to) {
        if (to == PtxType.F64) {
            double nearest = exact.doubleValue();
            int error = exact.compareTo(new BigDecimal(nearest));
            boolean up = rounding == Rounding.UP || (rounding == Rounding.ZERO && exact.signum() < 0);
            double found = error == 0
                    ? nearest
                    : error > 0 == up ? (up ? Math.nextUp(nearest) : Math.nextDown(nearest)) : nearest;
            return Double.doubleToRawLongBits(found);
        }
        float nearest = exact.floatValue();
        int error = exact.compareTo(new BigDecimal(nearest));
        boolean up = rounding == Rounding.UP || (rounding == Rounding.ZERO && exact.signum() < 0);
        float found =
                error == 0 ? nearest : error > 0 == up ? (up ? Math.nextUp(nearest) : Math.nextDown(nearest)) : nearest;
        if (to == PtxType.F32) {
            return Float.floatToRawIntBits(found);
        }
        return to == PtxType.F16 ? rounding.toHalf(found) & 0xffff : HalfOps.bfloat(found, rounding);
    }

    /** A number as the bits of a floating type. */
    private long floatBits(double number) {
        double value = whole == null ? number : whole.of(number);
        Rounding mode = rounding == null ? Rounding.NEAREST : rounding;
        if (to == PtxType.F64) {
            return FloatOps.bits(saturate ? (value > 0 ? Math.min(value, 1) : 0) : value);
        }
        if (to == PtxType.F32) {
            float result = mode.toFloat(value);
            return FloatOps.bits(saturated(flush ? FloatOps.flush(result) : result));
        }
        return half(value);
    }

    /** As a 16-bit float. */
    int half(double value) {
        if (Double.isNaN(value)) {
            return saturate ? 0 : 0x7fff;
        }
        double wanted = saturate ? (value > 0 ? Math.min(value, 1) : 0) : relu ? Math.max(value, 0.0) : value;
        if (rounding == null || rounding == Rounding.NEAREST) {
            return HalfOps.narrow(to, wanted);
        }
        float single = rounding.toFloat(wanted);
        return to == PtxType.F16 ? rounding.toHalf(single) & 0xffff : HalfOps.bfloat(single, rounding);
    }
}
