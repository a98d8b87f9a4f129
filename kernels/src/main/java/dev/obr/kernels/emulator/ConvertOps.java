package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operands.Place;
import java.util.Locale;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/** cvt between all types ({@link Conversion} says what it computes), of two floats into one register, and with packing. */
final class ConvertOps {
    private ConvertOps() {}

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
        Conversion conversion = new Conversion(
                to,
                from,
                rounding == null ? null : Rounding.of(rounding),
                whole == null ? null : Conversion.Whole.valueOf(whole.toUpperCase(Locale.ROOT)),
                flush,
                saturate,
                relu);
        if (to.packed()) {
            return two(conversion, o);
        }
        o.expect(2);
        conversion.check();
        Place d = o.wideningOut(o.at(0), to);
        Place a = o.wideningSource(o.at(1), from);
        Operation fast = fast(conversion, d, a);
        return fast == null ? general(d, a, conversion.function(d.bits())) : fast;
    }

    /** The commonest ones. */
    private static @Nullable Operation fast(Conversion form, Place d, Place a) {
        if (form.flush()
                || form.saturate()
                || form.relu()
                || d.bits() != form.to().bits()) {
            return null;
        }
        PtxType to = form.to();
        PtxType from = form.from();
        boolean nearest = form.rounding() == Rounding.NEAREST;
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
        if (to == PtxType.S32 && from == PtxType.F32 && form.whole() == Conversion.Whole.RNI) {
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

    /** cvt.rn.f16x2.f32 d, a, b: a in the upper half. */
    private static Operation two(Conversion form, Operands o) {
        o.expect(3);
        if (form.from() != PtxType.F32 || form.rounding() == null || form.whole() != null || form.flush()) {
            throw new DecodeFault("cannot convert two " + form.from() + " to " + form.to() + " so");
        }
        PtxType element = form.to() == PtxType.F16X2 ? PtxType.F16 : PtxType.BF16;
        Conversion one =
                new Conversion(element, form.from(), form.rounding(), null, false, form.saturate(), form.relu());
        return LaneOps.words(
                o.out(0, form.to()),
                o.word(1, PtxType.F32),
                o.word(2, PtxType.F32),
                (a, b) -> one.half(Float.intBitsToFloat(a)) << 16 | one.half(Float.intBitsToFloat(b)));
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
