package dev.obr.kernels.emulator;

import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/** Logic, shifts and counting of bits. Shifts by the width or more give 0, or all signs. */
final class BitOps {
    private BitOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "and" -> logic(opcode, o, FastOps.Kind.AND, (a, b) -> a & b, (a, b) -> a & b);
            case "or" -> logic(opcode, o, FastOps.Kind.OR, (a, b) -> a | b, (a, b) -> a | b);
            case "xor" -> logic(opcode, o, FastOps.Kind.XOR, (a, b) -> a ^ b, (a, b) -> a ^ b);
            case "not" -> not(opcode, o);
            case "cnot" -> {
                PtxType type = opcode.type(PtxType.B16, PtxType.B32, PtxType.B64);
                yield unary(type, o, a -> a == 0 ? 1 : 0, a -> a == 0 ? 1 : 0);
            }
            case "brev" -> {
                PtxType type = opcode.type(PtxType.B32, PtxType.B64);
                yield unary(type, o, Integer::reverse, Long::reverse);
            }
            case "popc" -> count(opcode.type(PtxType.B32, PtxType.B64), o, Integer::bitCount, Long::bitCount);
            case "clz" ->
                count(
                        opcode.type(PtxType.B32, PtxType.B64),
                        o,
                        Integer::numberOfLeadingZeros,
                        Long::numberOfLeadingZeros);
            case "bfind" -> find(opcode, o);
            case "shl" -> shiftLeft(opcode, o);
            default -> shiftRight(opcode, o);
        };
    }

    private static Operation logic(
            Opcode opcode, Operands o, FastOps.Kind kind, IntBinaryOperator f, LongBinaryOperator g) {
        PtxType type = opcode.type(PtxType.PRED, PtxType.B16, PtxType.B32, PtxType.B64);
        o.expect(3);
        if (type == PtxType.PRED) {
            int d = o.predicateOut(o.at(0));
            Operands.PredicatePlace a = o.predicate(1);
            Operands.PredicatePlace b = o.predicate(2);
            return new Operation() {
                @Override
                void run(Warp warp, int mask) {
                    int result = f.applyAsInt(a.of(warp), b.of(warp));
                    warp.predicates[d] = warp.predicates[d] & ~mask | result & mask;
                }
            };
        }
        return type.wide()
                ? LaneOps.longs(o.out(0, type), o.wide(1, type), o.wide(2, type), g)
                : new FastOps.Binary(kind, o.out(0, type), o.word(1, type), o.word(2, type));
    }

    private static Operation not(Opcode opcode, Operands o) {
        PtxType type = opcode.type(PtxType.PRED, PtxType.B16, PtxType.B32, PtxType.B64);
        if (type != PtxType.PRED) {
            int bits = type == PtxType.B16 ? 0xffff : -1;
            return unary(type, o, a -> ~a & bits, a -> ~a);
        }
        o.expect(2);
        int d = o.predicateOut(o.at(0));
        Operands.PredicatePlace a = o.predicate(1);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                warp.predicates[d] = warp.predicates[d] & ~mask | ~a.of(warp) & mask;
            }
        };
    }

    private static Operation unary(PtxType type, Operands o, IntUnaryOperator f, LongUnaryOperator g) {
        o.expect(2);
        return type.wide()
                ? LaneOps.longs(o.out(0, type), o.wide(1, type), g)
                : LaneOps.words(o.out(0, type), o.word(1, type), f);
    }

    /** The result is of 32 bits whatever is counted. */
    private static Operation count(PtxType type, Operands o, IntUnaryOperator f, LaneOps.LongToInt g) {
        o.expect(2);
        int d = o.out(0, PtxType.U32);
        return type.wide() ? LaneOps.narrow(d, o.wide(1, type), g) : LaneOps.words(d, o.word(1, type), f);
    }

    /** The place of the highest bit that is not the sign, or how far it is to shift it to the top; all ones without one. */
    private static Operation find(Opcode opcode, Operands o) {
        boolean amount = opcode.take("shiftamt");
        PtxType type = opcode.type(PtxType.U32, PtxType.S32, PtxType.U64, PtxType.S64);
        boolean signed = type.signed();
        return count(
                type,
                o,
                a -> {
                    int bits = signed && a < 0 ? ~a : a;
                    int zeros = Integer.numberOfLeadingZeros(bits);
                    return bits == 0 ? -1 : amount ? zeros : 31 - zeros;
                },
                a -> {
                    long bits = signed && a < 0 ? ~a : a;
                    int zeros = Long.numberOfLeadingZeros(bits);
                    return bits == 0 ? -1 : amount ? zeros : 63 - zeros;
                });
    }

    private static Operation shiftLeft(Opcode opcode, Operands o) {
        PtxType type = opcode.type(PtxType.B16, PtxType.B32, PtxType.B64);
        o.expect(3);
        int by = o.word(2, PtxType.U32);
        return switch (type) {
            case B64 -> LaneOps.shift(o.out(0, type), o.wide(1, type), by, (a, b) -> (b & ~63) != 0 ? 0 : a << b);
            case B32 -> new FastOps.Binary(FastOps.Kind.SHIFT_LEFT, o.out(0, type), o.word(1, type), by);
            default ->
                LaneOps.words(o.out(0, type), o.word(1, type), by, (a, b) -> (b & ~15) != 0 ? 0 : a << b & 0xffff);
        };
    }

    private static Operation shiftRight(Opcode opcode, Operands o) {
        PtxType type = opcode.type();
        if (!type.isInteger() || type.bits() < 16 || type.bits() > 64) {
            throw new DecodeFault("cannot shift " + type);
        }
        o.expect(3);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int by = o.word(2, PtxType.U32);
        boolean signed = type.signed();
        return switch (type.bits()) {
            case 64 ->
                LaneOps.shift(
                        d,
                        a,
                        by,
                        signed ? (x, b) -> x >> ((b & ~63) != 0 ? 63 : b) : (x, b) -> (b & ~63) != 0 ? 0 : x >>> b);
            case 32 ->
                LaneOps.words(
                        d,
                        a,
                        by,
                        signed ? (x, b) -> x >> ((b & ~31) != 0 ? 31 : b) : (x, b) -> (b & ~31) != 0 ? 0 : x >>> b);
            default ->
                LaneOps.words(
                        d,
                        a,
                        by,
                        signed
                                ? (x, b) -> (short) x >> ((b & ~15) != 0 ? 15 : b) & 0xffff
                                : (x, b) -> (b & ~15) != 0 ? 0 : x >>> b);
        };
    }
}
