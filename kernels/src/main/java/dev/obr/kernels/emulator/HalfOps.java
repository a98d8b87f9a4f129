package dev.obr.kernels.emulator;

/**
 * Arithmetic of 16-bit floats, alone or two to a register: computed so that it is rounded once. Sums and products of two are exact in double precision or lose nothing that the second rounding
 * could notice; it is made from an odd intermediate for the same reason.
 */
final class HalfOps {
    private HalfOps() {}

    private interface Ternary {
        double apply(double a, double b, double c);
    }

    /** The value of the low 16 bits, or of all 32 of an f32. */
    static float widen(PtxType type, int bits) {
        return switch (type) {
            case F16 -> Float.float16ToFloat((short) bits);
            case BF16 -> Float.intBitsToFloat(bits << 16);
            default -> Float.intBitsToFloat(bits);
        };
    }

    /** The nearest number of a 16-bit type, zero-extended. */
    static int narrow(PtxType type, double value) {
        if (Double.isNaN(value)) {
            return 0x7fff;
        }
        float odd = odd(value);
        return type == PtxType.F16 ? Float.floatToFloat16(odd) & 0xffff : bfloat(odd, Rounding.NEAREST);
    }

    /** a + b, its last bit set where it is not exact: a tie of the 16-bit type is then none. */
    private static double sum(double a, double b) {
        double sum = a + b;
        double part = sum - a;
        double error = (a - (sum - part)) + (b - part);
        if (!Double.isFinite(sum) || error == 0 || (Double.doubleToRawLongBits(sum) & 1) != 0) {
            return sum;
        }
        return error > 0 ? Math.nextUp(sum) : Math.nextDown(sum);
    }

    /** A float with at least two bits more than any 16-bit type: exact, or with its last bit set where it is not, so that rounding it further goes the way of the value itself. */
    private static float odd(double value) {
        float nearest = (float) value;
        if (nearest == value || Float.isInfinite(nearest)) {
            return nearest;
        }
        int bits = Float.floatToRawIntBits(nearest);
        boolean outside = Math.abs((double) nearest) > Math.abs(value);
        return Float.intBitsToFloat((outside ? bits - 1 : bits) | 1);
    }

    /** The bits of a bf16. */
    static int bfloat(float value, Rounding rounding) {
        if (Double.isNaN(value)) {
            return 0x7fff;
        }
        int bits = Float.floatToRawIntBits(value);
        boolean negative = bits < 0;
        boolean up = switch (rounding) {
            case NEAREST -> (bits & 0x8000) != 0 && (bits & 0x17fff) != 0;
            case ZERO -> false;
            case UP -> !negative && (bits & 0xffff) != 0;
            case DOWN -> negative && (bits & 0xffff) != 0;
        };
        return (bits >>> 16) + (up && Float.isFinite(value) ? 1 : 0) & 0xffff;
    }

    static Operation decode(Opcode opcode, Operands o) {
        String name = opcode.name();
        opcode.ignore("rn");
        boolean flush = opcode.take("ftz");
        boolean saturate = opcode.take("sat");
        boolean relu = opcode.take("relu");
        boolean strict = opcode.take("NaN");
        PtxType type = opcode.type(PtxType.F16, PtxType.F16X2, PtxType.BF16, PtxType.BF16X2);
        PtxType element = type == PtxType.F16X2 ? PtxType.F16 : type == PtxType.BF16X2 ? PtxType.BF16 : type;
        if (flush && element == PtxType.BF16) {
            throw new DecodeFault(".ftz is not for " + type);
        }
        switch (name) {
            case "abs", "neg" -> {
                return sign(name.equals("abs"), flush, type, o);
            }
            case "add", "sub", "mul", "min", "max" -> o.expect(3);
            case "fma" -> o.expect(4);
            default -> throw new DecodeFault(name + " is not known for " + type);
        }
        Ternary f = switch (name) {
            case "add" -> (a, b, c) -> a + b;
            case "sub" -> (a, b, c) -> a - b;
            case "mul" -> (a, b, c) -> a * b;
            case "fma" -> (a, b, c) -> sum(a * b, c);
            case "min" -> (a, b, c) -> FloatOps.extreme(a, b, true, strict);
            default -> (a, b, c) -> FloatOps.extreme(a, b, false, strict);
        };
        LaneOps.IntTernary one = (a, b, c) -> {
            double result = f.apply(in(element, a, flush), in(element, b, flush), in(element, c, flush));
            int bits = narrow(element, result);
            if (flush && (bits & 0x7c00) == 0) {
                bits &= 0x8000;
            }
            if (saturate) {
                bits = narrow(element, FloatOps.saturate(widen(element, bits)));
            }
            boolean negative = (bits & 0x8000) != 0 && bits != 0xffff;
            return relu && negative ? 0 : bits;
        };
        int d = o.out(0, type);
        int a = o.word(1, type);
        int b = o.word(2, type);
        int c = name.equals("fma") ? o.word(3, type) : b;
        return type.packed()
                ? LaneOps.words(
                        d, a, b, c, (x, y, z) -> one.apply(x, y, z) | one.apply(x >>> 16, y >>> 16, z >>> 16) << 16)
                : LaneOps.words(d, a, b, c, one);
    }

    private static double in(PtxType element, int bits, boolean flush) {
        return widen(element, flush && (bits & 0x7c00) == 0 ? bits & 0x8000 : bits);
    }

    private static Operation sign(boolean abs, boolean flush, PtxType type, Operands o) {
        o.expect(2);
        int signs = type.packed() ? 0x80008000 : 0x8000;
        return LaneOps.words(o.out(0, type), o.word(1, type), x -> {
            int kept = x;
            if (flush) {
                kept = (x & 0x7c00) == 0 ? kept & 0xffff8000 : kept;
                kept = (x & 0x7c000000) == 0 ? kept & 0x8000ffff : kept;
            }
            return abs ? kept & ~signs : kept ^ signs;
        });
    }
}
