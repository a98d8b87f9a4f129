package dev.obr.kernels.emulator;

import java.util.function.LongBinaryOperator;

/** Additions of more than one register: each lane has a carry flag that .cc writes and addc, subc and madc read. For subtractions the flag is the borrow. */
final class CarryOps {
    private CarryOps() {}

    private enum Kind {
        ADD,
        SUBTRACT,
        MULTIPLY_LOW,
        MULTIPLY_HIGH
    }

    /** add.cc, sub.cc, mad.cc, whose .cc has been taken. */
    static Operation decodeFirst(Opcode opcode, Operands o) {
        return decode(opcode, o, false, true);
    }

    /** addc, subc, madc, with or without .cc. */
    static Operation decode(Opcode opcode, Operands o) {
        return decode(opcode, o, true, opcode.take("cc"));
    }

    private static Operation decode(Opcode opcode, Operands o, boolean reads, boolean writes) {
        Kind kind = switch (opcode.name()) {
            case "add", "addc" -> Kind.ADD;
            case "sub", "subc" -> Kind.SUBTRACT;
            case "mad", "madc" -> opcode.takeOne("lo", "hi").equals("lo") ? Kind.MULTIPLY_LOW : Kind.MULTIPLY_HIGH;
            default -> throw new DecodeFault("no carry belongs to " + opcode.name());
        };
        PtxType type = opcode.type(PtxType.S32, PtxType.U32, PtxType.B32, PtxType.S64, PtxType.U64);
        boolean multiplies = kind == Kind.MULTIPLY_LOW || kind == Kind.MULTIPLY_HIGH;
        o.expect(multiplies ? 4 : 3);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        int c = multiplies ? o.source(3, type) : 0;
        LongBinaryOperator product = product(kind, type);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) == 0) {
                        continue;
                    }
                    long x = get(warp, type, a + lane);
                    long y = get(warp, type, b + lane);
                    if (multiplies) {
                        x = product.applyAsLong(x, y);
                        y = get(warp, type, c + lane);
                    }
                    long in = reads ? warp.carry >>> lane & 1 : 0;
                    long result = kind == Kind.SUBTRACT ? x - y - in : x + y + in;
                    boolean out;
                    if (type.wide()) {
                        // The carry of the top bit, by the bits that went in and came out.
                        long carried =
                                kind == Kind.SUBTRACT ? (~x & y) | ((~x | y) & result) : (x & y) | ((x | y) & ~result);
                        out = carried < 0;
                        warp.longs[d + lane] = result;
                    } else {
                        long low = x & 0xffffffffL;
                        long sum = kind == Kind.SUBTRACT ? low - (y & 0xffffffffL) - in : low + (y & 0xffffffffL) + in;
                        out = sum >>> 32 != 0;
                        warp.words[d + lane] = (int) sum;
                    }
                    if (writes) {
                        warp.carry = warp.carry & ~(1 << lane) | (out ? 1 << lane : 0);
                    }
                }
            }
        };
    }

    private static long get(Warp warp, PtxType type, int place) {
        if (type.wide()) {
            return warp.longs[place];
        }
        return type.signed() ? warp.words[place] : warp.words[place] & 0xffffffffL;
    }

    private static LongBinaryOperator product(Kind kind, PtxType type) {
        if (kind != Kind.MULTIPLY_HIGH) {
            return (x, y) -> x * y;
        }
        if (!type.wide()) {
            return (x, y) -> x * y >>> 32;
        }
        return type.signed() ? Math::multiplyHigh : Math::unsignedMultiplyHigh;
    }
}
