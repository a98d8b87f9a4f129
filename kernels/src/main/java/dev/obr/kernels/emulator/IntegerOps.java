package dev.obr.kernels.emulator;

import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/**
 * Integer arithmetic of 16, 32 and 64 bits. Registers of 16 bits are held zero-extended.
 *
 * <p>Division by zero, which PTX leaves open, gives all ones and the remainder its dividend, as NVIDIA's devices do.
 */
final class IntegerOps {
    private IntegerOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "mul", "mad" -> multiply(opcode, o);
            case "abs", "neg" -> unary(opcode, o);
            case "add", "sub" -> {
                boolean saturating = opcode.take("sat");
                PtxType type = integer(opcode);
                if (saturating && type != PtxType.S32) {
                    throw new DecodeFault(".sat is for .s32");
                }
                boolean add = opcode.name().equals("add");
                o.expect(3);
                if (saturating) {
                    yield binary(type, o, add ? IntegerOps::addSaturating : IntegerOps::subtractSaturating, Long::sum);
                }
                if (type.bits() == 32) {
                    yield new FastOps.Binary(
                            add ? FastOps.Kind.ADD : FastOps.Kind.SUBTRACT,
                            o.out(0, type),
                            o.word(1, type),
                            o.word(2, type));
                }
                if (add && type.bits() == 64) {
                    yield new FastOps.AddLong(o.out(0, type), o.wide(1, type), o.wide(2, type));
                }
                yield add
                        ? binary(type, o, Integer::sum, Long::sum)
                        : binary(type, o, (a, b) -> a - b, (a, b) -> a - b);
            }
            case "div" -> {
                PtxType type = integer(opcode);
                yield type.signed()
                        ? binary(type, o, (a, b) -> b == 0 ? -1 : a / b, (a, b) -> b == 0 ? -1 : a / b)
                        : binary(
                                type,
                                o,
                                (a, b) -> b == 0 ? -1 : Integer.divideUnsigned(a, b),
                                (a, b) -> b == 0 ? -1 : Long.divideUnsigned(a, b));
            }
            case "rem" -> {
                PtxType type = integer(opcode);
                yield type.signed()
                        ? binary(type, o, (a, b) -> b == 0 ? a : a % b, (a, b) -> b == 0 ? a : a % b)
                        : binary(
                                type,
                                o,
                                (a, b) -> b == 0 ? a : Integer.remainderUnsigned(a, b),
                                (a, b) -> b == 0 ? a : Long.remainderUnsigned(a, b));
            }
            case "min" -> {
                PtxType type = integer(opcode);
                yield type.signed()
                        ? binary(type, o, Math::min, Math::min)
                        : binary(
                                type,
                                o,
                                (a, b) -> Integer.compareUnsigned(a, b) <= 0 ? a : b,
                                (a, b) -> Long.compareUnsigned(a, b) <= 0 ? a : b);
            }
            case "max" -> {
                PtxType type = integer(opcode);
                yield type.signed()
                        ? binary(type, o, Math::max, Math::max)
                        : binary(
                                type,
                                o,
                                (a, b) -> Integer.compareUnsigned(a, b) >= 0 ? a : b,
                                (a, b) -> Long.compareUnsigned(a, b) >= 0 ? a : b);
            }
            default -> throw new DecodeFault("unknown opcode " + opcode.text());
        };
    }

    /** Less common ones. */
    static Operation special(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "sad" -> {
                PtxType type = integer(opcode);
                o.expect(4);
                yield switch (type.bits()) {
                    case 64 ->
                        LaneOps.longs(
                                o.out(0, type),
                                o.wide(1, type),
                                o.wide(2, type),
                                o.wide(3, type),
                                type.signed()
                                        ? (a, b, c) -> c + (a < b ? b - a : a - b)
                                        : (a, b, c) -> c + (Long.compareUnsigned(a, b) < 0 ? b - a : a - b));
                    case 32 ->
                        ternary(
                                type,
                                o,
                                type.signed()
                                        ? (a, b, c) -> c + (a < b ? b - a : a - b)
                                        : (a, b, c) -> c + (Integer.compareUnsigned(a, b) < 0 ? b - a : a - b));
                    default -> ternary(type, o, (a, b, c) -> c + Math.abs(a - b));
                };
            }
            case "mul24" -> {
                String half = opcode.takeOne("lo", "hi");
                PtxType type = opcode.type(PtxType.S32, PtxType.U32);
                int shift = half.equals("lo") ? 0 : 16;
                yield binary(type, o, (a, b) -> (int) (low24(type, a) * low24(type, b) >> shift), Long::sum);
            }
            case "mad24" -> {
                String half = opcode.takeOne("lo", "hi");
                PtxType type = opcode.type(PtxType.S32, PtxType.U32);
                int shift = half.equals("lo") ? 0 : 16;
                yield ternary(type, o, (a, b, c) -> (int) (low24(type, a) * low24(type, b) >> shift) + c);
            }
            case "dp4a" -> {
                PtxType a = opcode.type(PtxType.U32, PtxType.S32);
                PtxType b = opcode.type(PtxType.U32, PtxType.S32);
                yield ternary(PtxType.S32, o, (x, y, c) -> dot(a, b, 8, 0, x, y, c));
            }
            case "dp2a" -> {
                int half = opcode.takeOne("lo", "hi").equals("lo") ? 0 : 16;
                PtxType a = opcode.type(PtxType.U32, PtxType.S32);
                PtxType b = opcode.type(PtxType.U32, PtxType.S32);
                yield ternary(PtxType.S32, o, (x, y, c) -> dot(a, b, 16, half, x, y, c));
            }
            default -> throw new DecodeFault("unknown opcode " + opcode.text());
        };
    }

    /** c + Σ of a's elements, of this width, by bytes of b from a bit on. */
    private static int dot(PtxType typeA, PtxType typeB, int width, int from, int a, int b, int c) {
        int sum = c;
        for (int i = 0; i * width < 32; i++) {
            int x = a << 32 - width * (i + 1);
            int y = b << 24 - from - 8 * i;
            sum += (typeA.signed() ? x >> 32 - width : x >>> 32 - width) * (typeB.signed() ? y >> 24 : y >>> 24);
        }
        return sum;
    }

    private static long low24(PtxType type, int value) {
        return type.signed() ? value << 8 >> 8 : value & 0xffffff;
    }

    private static Operation unary(Opcode opcode, Operands o) {
        PtxType type = opcode.type(PtxType.S16, PtxType.S32, PtxType.S64);
        o.expect(2);
        boolean abs = opcode.name().equals("abs");
        IntUnaryOperator narrow = abs ? Math::abs : a -> -a;
        LongUnaryOperator wide = abs ? Math::abs : a -> -a;
        return switch (type) {
            case S64 -> LaneOps.longs(o.out(0, type), o.wide(1, type), wide);
            case S32 -> LaneOps.words(o.out(0, type), o.word(1, type), narrow);
            default -> LaneOps.words(o.out(0, type), o.word(1, type), a -> narrow.applyAsInt((short) a) & 0xffff);
        };
    }

    private static Operation multiply(Opcode opcode, Operands o) {
        String half = opcode.takeOne("lo", "hi", "wide");
        PtxType type = integer(opcode);
        boolean add = opcode.name().equals("mad");
        o.expect(add ? 4 : 3);
        return switch (half) {
            case "wide" -> wide(type, add, o);
            case "lo" -> {
                if (type.bits() == 32) {
                    int d = o.out(0, type);
                    yield add
                            ? new FastOps.MultiplyAdd(d, o.word(1, type), o.word(2, type), o.word(3, type))
                            : new FastOps.Binary(FastOps.Kind.MULTIPLY, d, o.word(1, type), o.word(2, type));
                }
                yield add
                        ? multiplyAdd(type, o, (a, b) -> a * b, (a, b) -> a * b)
                        : binary(type, o, (a, b) -> a * b, (a, b) -> a * b);
            }
            default -> {
                IntBinaryOperator high = switch (type) {
                    case S16, U16 -> (a, b) -> a * b >> 16;
                    case S32 -> (a, b) -> (int) ((long) a * b >> 32);
                    default -> (a, b) -> (int) ((a & 0xffffffffL) * (b & 0xffffffffL) >>> 32);
                };
                LongBinaryOperator highLong = type.signed() ? Math::multiplyHigh : Math::unsignedMultiplyHigh;
                yield add ? multiplyAdd(type, o, high, highLong) : binary(type, o, high, highLong);
            }
        };
    }

    /** The whole product in twice the bits. */
    private static Operation wide(PtxType type, boolean add, Operands o) {
        int a = o.word(1, type);
        int b = o.word(2, type);
        if (type.bits() == 16) {
            PtxType result = type.signed() ? PtxType.S32 : PtxType.U32;
            int d = o.out(0, result);
            boolean signed = type.signed();
            return add
                    ? LaneOps.words(
                            d, a, b, o.word(3, result), (x, y, c) -> (signed ? (short) x * (short) y : x * y) + c)
                    : LaneOps.words(d, a, b, (x, y) -> signed ? (short) x * (short) y : x * y);
        }
        if (type.bits() != 32) {
            throw new DecodeFault("a wide product is of 16 or 32 bits");
        }
        PtxType result = type.signed() ? PtxType.S64 : PtxType.U64;
        int d = o.out(0, result);
        if (add) {
            int c = o.wide(3, result);
            return type.signed()
                    ? LaneOps.widening(d, a, b, c, (x, y, z) -> (long) x * y + z)
                    : LaneOps.widening(d, a, b, c, (x, y, z) -> (x & 0xffffffffL) * (y & 0xffffffffL) + z);
        }
        return type.signed()
                ? LaneOps.widening(d, a, b, (x, y) -> (long) x * y)
                : LaneOps.widening(d, a, b, (x, y) -> (x & 0xffffffffL) * (y & 0xffffffffL));
    }

    private static Operation multiplyAdd(PtxType type, Operands o, IntBinaryOperator f, LongBinaryOperator g) {
        if (type.bits() == 64) {
            return LaneOps.longs(
                    o.out(0, type),
                    o.wide(1, type),
                    o.wide(2, type),
                    o.wide(3, type),
                    (a, b, c) -> g.applyAsLong(a, b) + c);
        }
        IntBinaryOperator fitted = fit(type, f);
        int bits = type.bits() == 16 ? 0xffff : -1;
        return LaneOps.words(
                o.out(0, type),
                o.word(1, type),
                o.word(2, type),
                o.word(3, type),
                (a, b, c) -> fitted.applyAsInt(a, b) + c & bits);
    }

    private static Operation ternary(PtxType type, Operands o, LaneOps.IntTernary f) {
        o.expect(4);
        LaneOps.IntTernary fitted = switch (type) {
            case S16 -> (a, b, c) -> f.apply((short) a, (short) b, (short) c) & 0xffff;
            case U16 -> (a, b, c) -> f.apply(a, b, c) & 0xffff;
            default -> f;
        };
        return LaneOps.words(o.out(0, type), o.word(1, type), o.word(2, type), o.word(3, type), fitted);
    }

    private static Operation binary(PtxType type, Operands o, IntBinaryOperator f, LongBinaryOperator g) {
        o.expect(3);
        return type.bits() == 64
                ? LaneOps.longs(o.out(0, type), o.wide(1, type), o.wide(2, type), g)
                : LaneOps.words(o.out(0, type), o.word(1, type), o.word(2, type), fit(type, f));
    }

    /** A function of ints for the registers of a type. */
    static IntBinaryOperator fit(PtxType type, IntBinaryOperator f) {
        return switch (type) {
            case S16 -> (a, b) -> f.applyAsInt((short) a, (short) b) & 0xffff;
            case U16 -> (a, b) -> f.applyAsInt(a, b) & 0xffff;
            default -> f;
        };
    }

    private static int addSaturating(int a, int b) {
        return Math.clamp((long) a + b, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static int subtractSaturating(int a, int b) {
        return Math.clamp((long) a - b, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static PtxType integer(Opcode opcode) {
        return opcode.type(PtxType.S16, PtxType.U16, PtxType.S32, PtxType.U32, PtxType.S64, PtxType.U64);
    }
}
