package dev.obr.kernels.emulator;

import java.util.function.DoubleBinaryOperator;

/**
 * f32 and f64 arithmetic, exact and rounded once. What is no number is the canonical one, 0x7fffffff in 32 bits. Division is correctly rounded in all its forms (.rn, .full, .approx).
 */
final class FloatOps {
    static final int NAN = 0x7fffffff;
    private static final long NAN64 = 0x7fffffffffffffffL;

    private FloatOps() {}

    private interface FloatBinary {
        float apply(float a, float b);
    }

    /** The bits of a result. */
    static int bits(float value) {
        return Double.isNaN(value) ? NAN : Float.floatToRawIntBits(value);
    }

    static long bits(double value) {
        return Double.isNaN(value) ? NAN64 : Double.doubleToRawLongBits(value);
    }

    /** Subnormal numbers become zeros of their sign. */
    static float flush(float value) {
        return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
    }

    /** To [0, 1]; no number becomes 0. */
    static float saturate(float value) {
        return value > 0 ? Math.min(value, 1) : 0;
    }

    /** What becomes of operands and results. */
    record Modes(Rounding rounding, boolean flush, boolean saturate) {
        static Modes take(Opcode opcode) {
            String rounding = opcode.takeAny("rn", "rz", "rm", "rp");
            boolean flush = opcode.take("ftz");
            return new Modes(rounding == null ? Rounding.NEAREST : Rounding.of(rounding), flush, opcode.take("sat"));
        }

        boolean plain() {
            return rounding == Rounding.NEAREST && !flush && !saturate;
        }

        float in(int bits) {
            float value = Float.intBitsToFloat(bits);
            return flush ? FloatOps.flush(value) : value;
        }

        int out(float value) {
            float result = flush ? FloatOps.flush(value) : value;
            return bits(saturate ? FloatOps.saturate(result) : result);
        }
    }

    static Operation decode(Opcode opcode, Operands o) {
        String name = opcode.name();
        return switch (name) {
            case "add", "sub", "mul", "div" -> {
                if (name.equals("div")) {
                    opcode.ignore("full", "approx");
                }
                Modes modes = Modes.take(opcode);
                PtxType type = opcode.type(PtxType.F32, PtxType.F64);
                yield binary(name, modes, type, o);
            }
            case "fma", "mad" -> {
                Modes modes = Modes.take(opcode);
                PtxType type = opcode.type(PtxType.F32, PtxType.F64);
                yield fma(modes, type, o);
            }
            case "abs", "neg" -> {
                boolean flush = opcode.take("ftz");
                PtxType type = opcode.type(PtxType.F32, PtxType.F64);
                yield sign(name.equals("abs"), flush, type, o);
            }
            case "min", "max" -> extreme(opcode, name.equals("min"), o);
            default -> throw new DecodeFault("unknown opcode " + opcode.text());
        };
    }

    private static Operation binary(String name, Modes modes, PtxType type, Operands o) {
        o.expect(3);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        if (type == PtxType.F64) {
            if (modes.rounding != Rounding.NEAREST) {
                return LaneOps.longs(
                        d,
                        a,
                        b,
                        (x, y) ->
                                bits(modes.rounding.of(name, Double.longBitsToDouble(x), Double.longBitsToDouble(y))));
            }
            DoubleBinaryOperator f = switch (name) {
                case "add" -> (x, y) -> x + y;
                case "sub" -> (x, y) -> x - y;
                case "mul" -> (x, y) -> x * y;
                default -> (x, y) -> x / y;
            };
            return LaneOps.longs(
                    d, a, b, (x, y) -> bits(f.applyAsDouble(Double.longBitsToDouble(x), Double.longBitsToDouble(y))));
        }
        if (modes.rounding != Rounding.NEAREST) {
            return LaneOps.words(d, a, b, (x, y) -> modes.out(modes.rounding.of(name, modes.in(x), modes.in(y))));
        }
        if (modes.plain()) {
            return switch (name) {
                case "add" -> new FastOps.Binary(FastOps.Kind.ADD_FLOATS, d, a, b);
                case "sub" -> new FastOps.Binary(FastOps.Kind.SUBTRACT_FLOATS, d, a, b);
                case "mul" -> new FastOps.Binary(FastOps.Kind.MULTIPLY_FLOATS, d, a, b);
                default -> LaneOps.words(d, a, b, (x, y) -> bits(Float.intBitsToFloat(x) / Float.intBitsToFloat(y)));
            };
        }
        FloatBinary f = switch (name) {
            case "add" -> (x, y) -> x + y;
            case "sub" -> (x, y) -> x - y;
            case "mul" -> (x, y) -> x * y;
            default -> (x, y) -> x / y;
        };
        return LaneOps.words(d, a, b, (x, y) -> modes.out(f.apply(modes.in(x), modes.in(y))));
    }

    private static Operation fma(Modes modes, PtxType type, Operands o) {
        o.expect(4);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        int c = o.source(3, type);
        if (type == PtxType.F64) {
            return LaneOps.longs(d, a, b, c, (x, y, z) -> {
                double first = Double.longBitsToDouble(x);
                double second = Double.longBitsToDouble(y);
                double third = Double.longBitsToDouble(z);
                return bits(
                        modes.rounding == Rounding.NEAREST
                                ? Math.fma(first, second, third)
                                : modes.rounding.fma(first, second, third));
            });
        }
        if (modes.plain()) {
            return new FastOps.Fma(d, a, b, c);
        }
        return LaneOps.words(
                d,
                a,
                b,
                c,
                modes.rounding == Rounding.NEAREST
                        ? (x, y, z) -> modes.out(Math.fma(modes.in(x), modes.in(y), modes.in(z)))
                        : (x, y, z) -> modes.out(modes.rounding.fma(modes.in(x), modes.in(y), modes.in(z))));
    }

    private static Operation sign(boolean abs, boolean flush, PtxType type, Operands o) {
        o.expect(2);
        int d = o.out(0, type);
        int a = o.source(1, type);
        if (type == PtxType.F64) {
            return LaneOps.longs(d, a, abs ? x -> x & Long.MAX_VALUE : x -> x ^ Long.MIN_VALUE);
        }
        return LaneOps.words(d, a, x -> {
            float value = Float.intBitsToFloat(x);
            int kept = Float.floatToRawIntBits(flush ? flush(value) : value);
            return abs ? kept & Integer.MAX_VALUE : kept ^ Integer.MIN_VALUE;
        });
    }

    /** The other operand where one is no number; with .NaN none is either. -0 is less than +0. */
    private static Operation extreme(Opcode opcode, boolean least, Operands o) {
        boolean flush = opcode.take("ftz");
        boolean strict = opcode.take("NaN");
        boolean magnitude = opcode.take("xorsign");
        if (magnitude) {
            opcode.takeOne("abs");
        }
        PtxType type = opcode.type(PtxType.F32, PtxType.F64);
        o.expect(3);
        int d = o.out(0, type);
        int a = o.source(1, type);
        int b = o.source(2, type);
        if (type == PtxType.F64) {
            return LaneOps.longs(
                    d,
                    a,
                    b,
                    (x, y) -> bits(extreme(Double.longBitsToDouble(x), Double.longBitsToDouble(y), least, strict)));
        }
        return LaneOps.words(d, a, b, (x, y) -> {
            float first = Float.intBitsToFloat(x);
            float second = Float.intBitsToFloat(y);
            if (flush) {
                first = flush(first);
                second = flush(second);
            }
            if (magnitude) {
                float result = (float) extreme(Math.abs(first), Math.abs(second), least, strict);
                return Double.isNaN(result) ? NAN : Float.floatToRawIntBits(result) | (x ^ y) & Integer.MIN_VALUE;
            }
            return bits((float) extreme(first, second, least, strict));
        });
    }

    /** Of numbers that widen exactly. */
    static double extreme(double a, double b, boolean least, boolean strict) {
        if (!strict && (Double.isNaN(a) || Double.isNaN(b))) {
            return Double.isNaN(a) ? b : a;
        }
        return least ? Math.min(a, b) : Math.max(a, b);
    }
}
