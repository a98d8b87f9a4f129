package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operands.PredicatePlace;
import org.jspecify.annotations.Nullable;

/** setp and set compare, selp and slct choose. */
final class CompareOps {
    private CompareOps() {}

    /** Which of the lanes' comparisons hold: one bit a lane. */
    interface Comparer {
        int compare(Warp warp, int mask);
    }

    private interface IntTest {
        boolean test(int a, int b);
    }

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "setp" -> setPredicate(opcode, o);
            case "set" -> setValue(opcode, o);
            case "selp" -> select(opcode, o);
            default -> selectBySign(opcode, o);
        };
    }

    private static Operation setPredicate(Opcode opcode, Operands o) {
        Comparison comparison = Comparison.of(opcode.takeOne(Comparison.names()));
        Comparison.@Nullable Combination combination = Comparison.Combination.of(opcode.takeAny("and", "or", "xor"));
        boolean flush = opcode.take("ftz");
        PtxType type = opcode.type();
        o.expect(combination == null ? 3 : 4);
        int p = o.predicateOut(o.first(0));
        Operand second = o.second(0);
        int q = second == null ? -1 : o.predicateOut(second);
        PredicatePlace c = combination == null ? null : o.predicate(3);
        if (type.packed()) {
            Comparer low = packed(comparison, type, o.word(1, type), o.word(2, type), 0);
            Comparer high = packed(comparison, type, o.word(1, type), o.word(2, type), 16);
            if (q < 0) {
                throw new DecodeFault("a comparison of two halves writes two predicates");
            }
            return new Operation() {
                @Override
                void run(Warp warp, int mask) {
                    int first = low.compare(warp, mask);
                    int other = high.compare(warp, mask);
                    if (c != null && combination != null) {
                        int third = c.of(warp);
                        first = combination.of(first, third);
                        other = combination.of(other, third);
                    }
                    warp.predicates[p] = warp.predicates[p] & ~mask | first & mask;
                    warp.predicates[q] = warp.predicates[q] & ~mask | other & mask;
                }
            };
        }
        Comparer comparer = comparer(comparison, type, flush, o, 1);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int holds = comparer.compare(warp, mask);
                int not = ~holds;
                if (c != null && combination != null) {
                    int third = c.of(warp);
                    holds = combination.of(holds, third);
                    not = combination.of(not, third);
                }
                warp.predicates[p] = warp.predicates[p] & ~mask | holds & mask;
                if (q >= 0) {
                    warp.predicates[q] = warp.predicates[q] & ~mask | not & mask;
                }
            }
        };
    }

    /** The destination becomes all ones, or 1.0, where the comparison holds, else 0. */
    private static Operation setValue(Opcode opcode, Operands o) {
        Comparison comparison = Comparison.of(opcode.takeOne(Comparison.names()));
        Comparison.@Nullable Combination combination = Comparison.Combination.of(opcode.takeAny("and", "or", "xor"));
        boolean flush = opcode.take("ftz");
        PtxType result = opcode.type(PtxType.U32, PtxType.S32, PtxType.F32, PtxType.U16, PtxType.F16);
        PtxType type = opcode.type();
        o.expect(combination == null ? 3 : 4);
        int d = o.out(0, result);
        PredicatePlace c = combination == null ? null : o.predicate(3);
        Comparer comparer = comparer(comparison, type, flush, o, 1);
        int one = switch (result) {
            case F32 -> Float.floatToRawIntBits(1);
            case F16 -> 0x3c00;
            case U16 -> 0xffff;
            default -> -1;
        };
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int holds = comparer.compare(warp, mask);
                if (c != null && combination != null) {
                    holds = combination.of(holds, c.of(warp));
                }
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    warp.words[d + lane] = (holds >>> lane & 1) != 0 ? one : 0;
                }
            }
        };
    }

    /** Compares operands i and i + 1. */
    private static Comparer comparer(Comparison comparison, PtxType type, boolean flush, Operands o, int i) {
        if (type == PtxType.PRED || type.bits() < 16 || type.bits() > 64 || !comparison.fits(type)) {
            throw new DecodeFault("cannot compare " + type + " so");
        }
        if (type.untyped() && comparison != Comparison.EQ && comparison != Comparison.NE) {
            throw new DecodeFault("untyped bits are equal or not, nothing else");
        }
        int a = o.source(i, type);
        int b = o.source(i + 1, type);
        if (type.isFloat()) {
            return floats(comparison, type, flush, a, b);
        }
        boolean signed = type.signed();
        if (type.bits() == 64) {
            return (warp, mask) -> {
                int holds = 0;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    long x = warp.longs[a + lane];
                    long y = warp.longs[b + lane];
                    int sign = signed ? Long.compare(x, y) : Long.compareUnsigned(x, y);
                    holds |= comparison.holds(sign) ? 1 << lane : 0;
                }
                return holds;
            };
        }
        IntTest test = test(comparison, signed, type.bits() == 16);
        return (warp, mask) -> {
            int[] r = warp.words;
            int holds = 0;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                holds |= test.test(r[a + lane], r[b + lane]) ? 1 << lane : 0;
            }
            return holds;
        };
    }

    private static IntTest test(Comparison comparison, boolean signed, boolean halves) {
        if (halves) {
            return signed
                    ? (a, b) -> comparison.holds(Integer.compare((short) a, (short) b))
                    : (a, b) -> comparison.holds(Integer.compare(a, b));
        }
        return switch (comparison) {
            case EQ -> (a, b) -> a == b;
            case NE -> (a, b) -> a != b;
            case LT -> signed ? (a, b) -> a < b : (a, b) -> Integer.compareUnsigned(a, b) < 0;
            case GE -> signed ? (a, b) -> a >= b : (a, b) -> Integer.compareUnsigned(a, b) >= 0;
            case GT -> signed ? (a, b) -> a > b : (a, b) -> Integer.compareUnsigned(a, b) > 0;
            case LE -> signed ? (a, b) -> a <= b : (a, b) -> Integer.compareUnsigned(a, b) <= 0;
            default -> (a, b) -> comparison.holds(Integer.compareUnsigned(a, b));
        };
    }

    private static Comparer floats(Comparison comparison, PtxType type, boolean flush, int a, int b) {
        if (type == PtxType.F64) {
            return (warp, mask) -> {
                int holds = 0;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    double x = Double.longBitsToDouble(warp.longs[a + lane]);
                    double y = Double.longBitsToDouble(warp.longs[b + lane]);
                    holds |= comparison.holds(x, y) ? 1 << lane : 0;
                }
                return holds;
            };
        }
        return (warp, mask) -> {
            int holds = 0;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                float x = HalfOps.widen(type, warp.words[a + lane]);
                float y = HalfOps.widen(type, warp.words[b + lane]);
                if (flush) {
                    x = FloatOps.flush(x);
                    y = FloatOps.flush(y);
                }
                holds |= comparison.holds(x, y) ? 1 << lane : 0;
            }
            return holds;
        };
    }

    private static Comparer packed(Comparison comparison, PtxType type, int a, int b, int shift) {
        PtxType element = type == PtxType.F16X2 ? PtxType.F16 : PtxType.BF16;
        return (warp, mask) -> {
            int holds = 0;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                float x = HalfOps.widen(element, warp.words[a + lane] >>> shift);
                float y = HalfOps.widen(element, warp.words[b + lane] >>> shift);
                holds |= comparison.holds(x, y) ? 1 << lane : 0;
            }
            return holds;
        };
    }

    private static Operation select(Opcode opcode, Operands o) {
        PtxType type = opcode.type();
        if (type.bits() < 16 || type.bits() > 64) {
            throw new DecodeFault("cannot select " + type);
        }
        o.expect(4);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        PredicatePlace c = o.predicate(3);
        if (type.wide()) {
            return new Operation() {
                @Override
                void run(Warp warp, int mask) {
                    int chosen = c.of(warp);
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        if ((mask >>> lane & 1) != 0) {
                            warp.longs[d + lane] = warp.longs[((chosen >>> lane & 1) != 0 ? a : b) + lane];
                        }
                    }
                }
            };
        }
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int chosen = c.of(warp);
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        warp.words[d + lane] = warp.words[((chosen >>> lane & 1) != 0 ? a : b) + lane];
                    }
                }
            }
        };
    }

    /** d = c >= 0 ? a : b; no number counts as negative. */
    private static Operation selectBySign(Opcode opcode, Operands o) {
        boolean flush = opcode.take("ftz");
        PtxType type = opcode.type();
        PtxType by = opcode.type(PtxType.S32, PtxType.F32);
        if (type.bits() < 16 || type.bits() > 64) {
            throw new DecodeFault("cannot select " + type);
        }
        o.expect(4);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        int c = o.word(3, by);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    int value = warp.words[c + lane];
                    float number = Float.intBitsToFloat(value);
                    boolean first = by == PtxType.S32 ? value >= 0 : (flush ? FloatOps.flush(number) : number) >= 0;
                    int from = (first ? a : b) + lane;
                    if (type.wide()) {
                        warp.longs[d + lane] = warp.longs[from];
                    } else {
                        warp.words[d + lane] = warp.words[from];
                    }
                }
            }
        };
    }
}
