package dev.obr.kernels.emulator;

import java.util.function.DoubleUnaryOperator;

/**
 * Functions of one number. Those that PTX calls .approx are computed in double precision and rounded, so that they are correct to the last bit but for one case in some hundred million; a
 * device's are off by some units in the last place, which is what tests of kernels must allow for.
 */
final class FloatFunctions {
    private static final double LN2 = StrictMath.log(2);

    private FloatFunctions() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "testp" -> test(opcode, o);
            case "copysign" -> copySign(opcode, o);
            case "rcp", "sqrt" -> rounded(opcode, o);
            case "rsqrt" ->
                approximate(opcode, o, a -> a == 0 ? Math.copySign(Double.POSITIVE_INFINITY, a) : 1 / Math.sqrt(a));
            case "ex2" -> approximate(opcode, o, a -> StrictMath.pow(2, a));
            case "lg2" -> approximate(opcode, o, FloatFunctions::log2);
            case "sin" -> approximate(opcode, o, StrictMath::sin);
            case "cos" -> approximate(opcode, o, StrictMath::cos);
            case "tanh" -> approximate(opcode, o, StrictMath::tanh);
            default -> throw new DecodeFault("unknown opcode " + opcode.text());
        };
    }

    private static double log2(double a) {
        int exponent = Math.getExponent(a);
        return a > 0 && a == Math.scalb(1.0, exponent) ? exponent : StrictMath.log(a) / LN2;
    }

    private static Operation rounded(Opcode opcode, Operands o) {
        boolean root = opcode.name().equals("sqrt");
        opcode.ignore("approx");
        FloatOps.Modes modes = FloatOps.Modes.take(opcode);
        PtxType type = opcode.type(PtxType.F32, PtxType.F64);
        o.expect(2);
        int d = o.out(0, type);
        int a = o.source(1, type);
        Rounding rounding = modes.rounding();
        if (type == PtxType.F64) {
            return LaneOps.longs(d, a, x -> {
                double value = Double.longBitsToDouble(x);
                return FloatOps.bits(root ? rounding.root(value) : rounding.of("div", 1.0, value));
            });
        }
        return LaneOps.words(d, a, x -> {
            float value = modes.in(x);
            return modes.out(root ? rounding.root(value) : rounding.of("div", 1f, value));
        });
    }

    private static Operation approximate(Opcode opcode, Operands o, DoubleUnaryOperator f) {
        opcode.takeOne("approx");
        boolean flush = opcode.take("ftz");
        PtxType type = opcode.type();
        o.expect(2);
        int d = o.out(0, type);
        int a = o.source(1, type);
        return switch (type) {
            case F64 -> LaneOps.longs(d, a, x -> FloatOps.bits(f.applyAsDouble(Double.longBitsToDouble(x))));
            case F32 ->
                LaneOps.words(d, a, x -> {
                    float value = Float.intBitsToFloat(x);
                    float result = (float) f.applyAsDouble(flush ? FloatOps.flush(value) : value);
                    return FloatOps.bits(flush ? FloatOps.flush(result) : result);
                });
            case F16, BF16 -> LaneOps.words(d, a, x -> half(type, x, f));
            case F16X2 -> LaneOps.words(d, a, x -> half(PtxType.F16, x, f) | half(PtxType.F16, x >>> 16, f) << 16);
            case BF16X2 -> LaneOps.words(d, a, x -> half(PtxType.BF16, x, f) | half(PtxType.BF16, x >>> 16, f) << 16);
            default -> throw new DecodeFault(opcode.name() + " is not known for " + type);
        };
    }

    private static int half(PtxType type, int bits, DoubleUnaryOperator f) {
        return HalfOps.narrow(type, f.applyAsDouble(HalfOps.widen(type, bits)));
    }

    private static Operation test(Opcode opcode, Operands o) {
        String property = opcode.takeOne("finite", "infinite", "number", "notanumber", "normal", "subnormal");
        PtxType type = opcode.type(PtxType.F32, PtxType.F64);
        o.expect(2);
        int p = o.predicateOut(o.at(0));
        int a = o.source(1, type);
        double least = type == PtxType.F32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int holds = 0;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    double value = type == PtxType.F32
                            ? Float.intBitsToFloat(warp.words[a + lane])
                            : Double.longBitsToDouble(warp.longs[a + lane]);
                    boolean finite = Double.isFinite(value);
                    boolean is = switch (property) {
                        case "finite" -> finite;
                        case "infinite" -> Double.isInfinite(value);
                        case "number" -> !Double.isNaN(value);
                        case "notanumber" -> Double.isNaN(value);
                        case "normal" -> finite && Math.abs(value) >= least;
                        default -> value != 0 && Math.abs(value) < least;
                    };
                    holds |= is ? 1 << lane : 0;
                }
                warp.predicates[p] = warp.predicates[p] & ~mask | holds & mask;
            }
        };
    }

    /** The sign of a on the magnitude of b. */
    private static Operation copySign(Opcode opcode, Operands o) {
        PtxType type = opcode.type(PtxType.F32, PtxType.F64);
        o.expect(3);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        return type == PtxType.F64
                ? LaneOps.longs(d, a, b, (x, y) -> x & Long.MIN_VALUE | y & Long.MAX_VALUE)
                : LaneOps.words(d, a, b, (x, y) -> x & Integer.MIN_VALUE | y & Integer.MAX_VALUE);
    }
}
