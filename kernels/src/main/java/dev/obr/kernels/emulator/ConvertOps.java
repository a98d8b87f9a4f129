package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operands.Place;
import java.math.BigDecimal;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * cvt between all types. From floats to integers the value is clamped to the integer's range and what is no number becomes 0 (with 64 bits on either side the integer's lowest, or 2^63); between
 * integers it is cut off, or clamped with .sat; to floats it is rounded once.
 */
final class ConvertOps {
    private ConvertOps() {}

    /** How floats become integers, or whole floats. */
    private enum Whole {
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

    /** The modifiers of one conversion. */
    private record Form(
            PtxType to,
            PtxType from,
            @Nullable Rounding rounding,
            @Nullable Whole whole,
            boolean flush,
            boolean saturate,
            boolean relu) {}

    static Operation decode(Opcode opcode, Operands o) {
        if (opcode.take("pack")) {
            return pack(opcode, o);
        }
        String whole = opcode.takeAny("rni", "rzi", "rmi", "rpi");
        String rounding = opcode.takeAny("rn", "rz", "rm", "rp");
        boolean flush = opcode.take("ftz");
        boolean saturate = opcode.take("sat");
        boolean relu = opcode.take("relu");
        PtxType to = opcode.type();
        PtxType from = opcode.type();
        Form form = new Form(
                to,
                from,
                rounding == null ? null : Rounding.of(rounding),
                whole == null ? null : Whole.valueOf(whole.toUpperCase(java.util.Locale.ROOT)),
                flush,
                saturate,
                relu);
        if (to.packed()) {
            return two(form, o);
        }
        o.expect(2);
        check(form);
        Place d = o.wideningOut(o.at(0), to);
        Place a = o.wideningSource(o.at(1), from);
        Operation fast = fast(form, d, a);
        return fast == null ? general(d, a, function(form, d.bits())) : fast;
    }

    private static void check(Form form) {
        boolean toFloat = form.to.isFloat();
        boolean fromFloat = form.from.isFloat();
        if (form.to.untyped()
                || form.from.untyped()
                || form.to == PtxType.PRED
                || form.from == PtxType.PRED
                || form.from.packed()) {
            throw new DecodeFault("cannot convert " + form.from + " to " + form.to);
        }
        boolean narrows = toFloat
                && (!fromFloat
                        || form.to.bits() < form.from.bits()
                        || (form.to.bits() == form.from.bits() && form.to != form.from));
        if (narrows != (form.rounding != null)) {
            throw new DecodeFault(
                    narrows
                            ? "expected a rounding such as .rn"
                            : "nothing is rounded from " + form.from + " to " + form.to);
        }
        boolean wholes = fromFloat && (!toFloat || form.to == form.from);
        if (form.whole != null && !wholes || form.whole == null && fromFloat && !toFloat) {
            throw new DecodeFault(wholes ? "expected a rounding such as .rni" : "unknown modifier of a conversion");
        }
        if (form.relu && !(toFloat && form.to.bits() == 16)) {
            throw new DecodeFault(".relu is for 16-bit floats");
        }
    }

    /** The commonest ones. */
    private static @Nullable Operation fast(Form form, Place d, Place a) {
        if (form.flush || form.saturate || form.relu || d.bits() != form.to.bits()) {
            return null;
        }
        PtxType to = form.to;
        PtxType from = form.from;
        boolean nearest = form.rounding == Rounding.NEAREST;
        if (a.wide()) {
            return to.bits() == 32 && to.isInteger() && from.isInteger() && from.bits() >= 32
                    ? LaneOps.narrow(d.at(), a.at(), x -> (int) x)
                    : null;
        }
        if (from.bits() == 32 && to.bits() == 64 && from.isInteger() && to.isInteger()) {
            return from.signed()
                    ? LaneOps.widen(d.at(), a.at(), x -> x)
                    : LaneOps.widen(d.at(), a.at(), x -> x & 0xffffffffL);
        }
        if (to == PtxType.F32 && from == PtxType.S32 && nearest) {
            return LaneOps.words(d.at(), a.at(), x -> Float.floatToRawIntBits(x));
        }
        if (to == PtxType.F32 && from == PtxType.F16) {
            return LaneOps.words(d.at(), a.at(), x -> FloatOps.bits(Float.float16ToFloat((short) x)));
        }
        if (to == PtxType.F16 && from == PtxType.F32 && nearest) {
            return LaneOps.words(d.at(), a.at(), x -> half(Float.intBitsToFloat(x)));
        }
        if (to == PtxType.S32 && from == PtxType.F32 && form.whole == Whole.RNI) {
            return LaneOps.words(d.at(), a.at(), x -> (int) Math.rint(Float.intBitsToFloat(x)));
        }
        return null;
    }

    private static int half(float value) {
        return Double.isNaN(value) ? 0x7fff : Float.floatToFloat16(value) & 0xffff;
    }

    private static Operation general(Place d, Place a, LongUnaryOperator f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    long value = f.applyAsLong(a.wide() ? warp.longs[a.at() + lane] : warp.words[a.at() + lane]);
                    if (d.wide()) {
                        warp.longs[d.at() + lane] = value;
                    } else {
                        warp.words[d.at() + lane] = (int) value;
                    }
                }
            }
        };
    }

    /** From the bits of a register, of which the type's low ones count, to those of a register of so many bits. */
    private static LongUnaryOperator function(Form form, int bits) {
        PtxType from = form.from;
        PtxType to = form.to;
        if (!from.isFloat()) {
            LongUnaryOperator value = x -> extend(x, from);
            return to.isFloat()
                    ? x -> toFloat(value.applyAsLong(x), form)
                    : x -> register(
                            form.saturate ? clamp(value.applyAsLong(x), from, to) : value.applyAsLong(x), to, bits);
        }
        return to.isFloat()
                ? x -> floatBits(read(x, form), form)
                : x -> register(toInteger(read(x, form), form), to, bits);
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

    private static double read(long bits, Form form) {
        double value = form.from == PtxType.F64 ? Double.longBitsToDouble(bits) : HalfOps.widen(form.from, (int) bits);
        return form.flush && form.from == PtxType.F32 ? FloatOps.flush((float) value) : value;
    }

    private static long toInteger(double value, Form form) {
        PtxType to = form.to;
        if (Double.isNaN(value)) {
            return form.from == PtxType.F64 || to.bits() == 64 ? 1L << to.bits() - 1 : 0;
        }
        Whole mode = form.whole;
        double whole = mode == null ? value : mode.of(value);
        if (to == PtxType.U64) {
            if (whole < 0x1p63) {
                return (long) Math.max(whole, 0);
            }
            return whole >= 0x1p64 ? -1 : (long) (whole - 0x1p63) ^ Long.MIN_VALUE;
        }
        return Math.clamp((long) whole, least(to), most(to));
    }

    private static long toFloat(long value, Form form) {
        boolean negativeAsUnsigned = form.from == PtxType.U64 && value < 0;
        if (form.rounding != Rounding.NEAREST) {
            Rounding rounding = form.rounding == null ? Rounding.NEAREST : form.rounding;
            BigDecimal exact = new BigDecimal(value);
            if (negativeAsUnsigned) {
                exact = exact.add(BigDecimal.TWO.pow(64));
            }
            return directed(exact, rounding, form.to);
        }
        // Half of it with its last bit kept rounds as the whole does.
        long half = value >>> 1 | value & 1;
        return switch (form.to) {
            case F64 -> Double.doubleToRawLongBits(negativeAsUnsigned ? 2.0 * half : (double) value);
            case F32 -> sign32(saturated(negativeAsUnsigned ? 2f * half : (float) value, form));
            default -> HalfOps.narrow(form.to, negativeAsUnsigned ? 2.0 * half : (double) value);
        };
    }

    private static float saturated(float value, Form form) {
        return form.saturate ? FloatOps.saturate(value) : value;
    }

    private static long sign32(float value) {
        return Float.floatToRawIntBits(value);
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
    private static long floatBits(double number, Form form) {
        double value = form.whole == null ? number : form.whole.of(number);
        Rounding rounding = form.rounding == null ? Rounding.NEAREST : form.rounding;
        if (form.to == PtxType.F64) {
            return FloatOps.bits(form.saturate ? (value > 0 ? Math.min(value, 1) : 0) : value);
        }
        if (form.to == PtxType.F32) {
            float result = rounding.toFloat(value);
            return FloatOps.bits(saturated(form.flush ? FloatOps.flush(result) : result, form));
        }
        return half(value, rounding, form);
    }

    /** As a 16-bit float. */
    private static int half(double value, Rounding rounding, Form form) {
        if (Double.isNaN(value)) {
            return form.saturate ? 0 : 0x7fff;
        }
        double wanted = form.saturate ? (value > 0 ? Math.min(value, 1) : 0) : form.relu ? Math.max(value, 0.0) : value;
        if (rounding == Rounding.NEAREST) {
            return HalfOps.narrow(form.to, wanted);
        }
        float single = rounding.toFloat(wanted);
        return form.to == PtxType.F16 ? rounding.toHalf(single) & 0xffff : HalfOps.bfloat(single, rounding);
    }

    /** cvt.rn.f16x2.f32 d, a, b: a in the upper half. */
    private static Operation two(Form form, Operands o) {
        o.expect(3);
        if (form.from != PtxType.F32 || form.rounding == null || form.whole != null || form.flush) {
            throw new DecodeFault("cannot convert two " + form.from + " to " + form.to + " so");
        }
        PtxType element = form.to == PtxType.F16X2 ? PtxType.F16 : PtxType.BF16;
        Form one = new Form(element, form.from, form.rounding, null, false, form.saturate, form.relu);
        Rounding rounding = form.rounding;
        return LaneOps.words(
                o.out(0, form.to),
                o.word(1, PtxType.F32),
                o.word(2, PtxType.F32),
                (a, b) -> half(Float.intBitsToFloat(a), rounding, one) << 16
                        | half(Float.intBitsToFloat(b), rounding, one));
    }

    /** cvt.pack.sat.u8.s32.b32 d, a, b, c: a above b, c shifted above both. */
    private static Operation pack(Opcode opcode, Operands o) {
        opcode.takeOne("sat");
        String to = opcode.takeOne("u16", "s16", "u8", "s8", "u4", "s4", "u2", "s2");
        opcode.type(PtxType.S32);
        boolean signed = to.startsWith("s");
        int bits = Integer.parseInt(to.substring(1));
        int least = signed ? -1 << bits - 1 : 0;
        int most = (1 << bits - (signed ? 1 : 0)) - 1;
        int ones = (1 << bits) - 1;
        int d = o.out(0, PtxType.U32);
        int a = o.word(1, PtxType.S32);
        int b = o.word(2, PtxType.S32);
        if (bits == 16) {
            o.expect(3);
            return LaneOps.words(
                    d, a, b, (x, y) -> Math.clamp(x, least, most) << 16 | Math.clamp(y, least, most) & ones);
        }
        opcode.type(PtxType.B32);
        o.expect(4);
        return LaneOps.words(
                d,
                a,
                b,
                o.word(3, PtxType.B32),
                (x, y, c) -> c << 2 * bits
                        | (Math.clamp(x, least, most) & ones) << bits
                        | Math.clamp(y, least, most) & ones);
    }
}
