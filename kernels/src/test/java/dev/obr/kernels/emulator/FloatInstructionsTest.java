package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.FloatFormat.Mode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Floating point arithmetic against exact values, rounded by the definition of the format. */
class FloatInstructionsTest {
    static Stream<Arguments> everyRounding() {
        List<Arguments> cases = new ArrayList<>();
        for (PtxType type : List.of(PtxType.F32, PtxType.F64)) {
            for (Mode mode : Mode.values()) {
                for (String name : List.of("add", "sub", "mul", "div", "fma", "rcp", "sqrt")) {
                    cases.add(Arguments.of(name, mode, type));
                }
            }
        }
        for (PtxType type : List.of(PtxType.F16, PtxType.BF16)) {
            for (String name : List.of("add", "sub", "mul", "fma")) {
                cases.add(Arguments.of(name, Mode.RN, type));
            }
        }
        return cases.stream();
    }

    @ParameterizedTest(name = "{0}.{1}{2}")
    @MethodSource("everyRounding")
    void isRoundedOnce(String name, Mode mode, PtxType type) {
        FloatFormat format = FloatFormat.of(type);
        int operands = name.equals("fma") ? 3 : name.equals("rcp") || name.equals("sqrt") ? 1 : 2;
        long[][] columns = new long[operands][];
        for (int i = 0; i < operands; i++) {
            columns[i] = format.values();
        }
        long[][] rows = Snippet.product(columns);
        PtxType[] types = new PtxType[operands];
        java.util.Arrays.fill(types, type);
        String text = name + "." + mode.name().toLowerCase(Locale.ROOT) + type + " $d"
                + ", $a, $b, $c".substring(0, 4 * operands) + ";";
        long[] found = new Snippet(text, type, types).run(rows);
        for (int i = 0; i < rows.length; i++) {
            long b = operands > 1 ? rows[i][1] : 0;
            long c = operands > 2 ? rows[i][2] : 0;
            check(text, format, found[i], expected(name, mode, format, rows[i][0], b, c), rows[i]);
        }
    }

    private static void check(String text, FloatFormat format, long found, long expected, long[] row) {
        String what = text + " of " + java.util.Arrays.stream(row).mapToObj(Long::toHexString).toList();
        if (format.isNan(expected)) {
            assertThat(format.isNan(found)).as(what).isTrue();
        } else {
            assertThat(Long.toHexString(found)).as(what).isEqualTo(Long.toHexString(expected));
        }
    }

    /** Whatever is not finite follows the rules of Java's doubles, of which all formats are a part. */
    private static long expected(String name, Mode mode, FloatFormat format, long a, long b, long c) {
        boolean finite = format.finite(a) && format.finite(b) && format.finite(c);
        if (name.equals("rcp")) {
            long one = format.round(BigDecimal.ONE, Mode.RN, false);
            return expected("div", mode, format, one, a, 0);
        }
        if (!finite
                || (name.equals("div") && format.value(b).signum() == 0)
                || (name.equals("sqrt") && format.value(a).signum() < 0)) {
            double x = wide(format, a);
            double y = wide(format, b);
            double result =
                    switch (name) {
                        case "add" -> x + y;
                        case "sub" -> x - y;
                        case "mul" -> x * y;
                        case "div" -> x / y;
                        case "sqrt" -> Math.sqrt(x);
                        default -> Math.fma(x, y, wide(format, c));
                    };
            return narrow(format, result);
        }
        BigDecimal x = format.value(a);
        BigDecimal y = format.value(b);
        BigDecimal z = format.value(c);
        boolean productNegative = format.negative(a) != format.negative(b);
        boolean down = mode == Mode.RM;
        return switch (name) {
            case "add" ->
                format.round(x.add(y), mode, sumSign(format.negative(a), format.negative(b), down));
            case "sub" ->
                format.round(x.subtract(y), mode, sumSign(format.negative(a), !format.negative(b), down));
            case "mul" -> format.round(x.multiply(y), mode, productNegative);
            case "div" -> format.round(x, y, mode, productNegative);
            case "sqrt" -> root(format, x, a, mode);
            default ->
                format.round(x.multiply(y).add(z), mode, sumSign(productNegative, format.negative(c), down));
        };
    }

    /** The sign of a sum that is zero: of both where they agree, else + but when rounding down. */
    private static boolean sumSign(boolean first, boolean second, boolean down) {
        return first == second ? first : down;
    }

    private static long root(FloatFormat format, BigDecimal value, long bits, Mode mode) {
        if (value.signum() == 0) {
            return bits;
        }
        // Many more digits than the format has; a tie or an exact result shows within them.
        BigDecimal root = value.sqrt(new java.math.MathContext(1100, java.math.RoundingMode.DOWN));
        if (root.multiply(root).compareTo(value) != 0) {
            root = root.add(BigDecimal.ONE.movePointLeft(2000));
        }
        return format.round(root, mode, false);
    }

    private static double wide(FloatFormat format, long bits) {
        if (format.finite(bits)) {
            double value = format.value(bits).doubleValue();
            return format.negative(bits) ? Math.copySign(value, -1) : value;
        }
        return format.isNan(bits) ? Double.NaN : format.negative(bits) ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }

    private static long narrow(FloatFormat format, double value) {
        if (Double.isNaN(value)) {
            return format.infinity(false) | 1;
        }
        boolean negative = Math.copySign(1, value) < 0;
        return Double.isInfinite(value) ? format.infinity(negative) : format.round(new BigDecimal(value), Mode.RN, negative);
    }

    @Test
    void smallNumbersAreFlushedWhereAsked() {
        long tiny = 1;
        long least = Float.floatToRawIntBits(Float.MIN_NORMAL);
        long half = Float.floatToRawIntBits(0.5f);
        long minusTiny = 0x80000001L;
        long[] found = new Snippet("mul.ftz.f32 $d, $a, $b;", PtxType.F32, PtxType.F32, PtxType.F32)
                .run(new long[][] {{least, half}, {tiny, least}, {minusTiny, half}});
        assertThat(found).containsExactly(0, 0, 0x80000000L);
        assertThat(new Snippet("add.ftz.f32 $d, $a, $b;", PtxType.F32, PtxType.F32, PtxType.F32)
                        .run(new long[][] {{tiny, 0}, {least, tiny}}))
                .containsExactly(0, least);
    }

    @Test
    void saturationIsToOneAndNoNumberBecomesZero() {
        long[][] rows = new long[5][2];
        float[] values = {2, -1, 0.25f, Float.NaN, Float.POSITIVE_INFINITY};
        for (int i = 0; i < values.length; i++) {
            rows[i][0] = Float.floatToRawIntBits(values[i]) & 0xffffffffL;
        }
        long[] found = new Snippet("add.sat.f32 $d, $a, $b;", PtxType.F32, PtxType.F32, PtxType.F32).run(rows);
        long one = Float.floatToRawIntBits(1);
        assertThat(found).containsExactly(one, 0, Float.floatToRawIntBits(0.25f), 0, one);
    }

    @Test
    void theOtherOperandIsTheExtremeOfNoNumber() {
        long nan = 0x7fc00000L;
        long one = Float.floatToRawIntBits(1);
        long minusZero = 0x80000000L;
        long[][] rows = {{nan, one}, {one, nan}, {nan, nan}, {minusZero, 0}, {0, minusZero}};
        assertThat(new Snippet("min.f32 $d, $a, $b;", PtxType.F32, PtxType.F32, PtxType.F32).run(rows))
                .containsExactly(one, one, 0x7fffffff, minusZero, minusZero);
        assertThat(new Snippet("max.f32 $d, $a, $b;", PtxType.F32, PtxType.F32, PtxType.F32).run(rows))
                .containsExactly(one, one, 0x7fffffff, 0, 0);
        assertThat(new Snippet("max.NaN.f32 $d, $a, $b;", PtxType.F32, PtxType.F32, PtxType.F32).run(rows))
                .containsExactly(0x7fffffff, 0x7fffffff, 0x7fffffff, 0, 0);
    }

    /** To the last bit, at arguments where the value is known. */
    @Test
    void approximationsAreExactWhereTheirValueIs() {
        assertFunction("ex2.approx.f32", 3, 8);
        assertFunction("ex2.approx.f32", -1, 0.5f);
        assertFunction("ex2.approx.ftz.f32", -200, 0);
        assertFunction("lg2.approx.f32", 8, 3);
        assertFunction("lg2.approx.f32", 0.125f, -3);
        assertFunction("lg2.approx.f32", 0, Float.NEGATIVE_INFINITY);
        assertFunction("rsqrt.approx.f32", 4, 0.5f);
        assertFunction("rsqrt.approx.f32", 0, Float.POSITIVE_INFINITY);
        assertFunction("sqrt.approx.f32", 2.25f, 1.5f);
        assertFunction("rcp.approx.ftz.f32", 4, 0.25f);
        assertFunction("sin.approx.f32", 0, 0);
        assertFunction("cos.approx.f32", 0, 1);
        assertFunction("tanh.approx.f32", 0, 0);
        assertFunction("tanh.approx.f32", 100, 1);
    }

    private static void assertFunction(String opcode, float argument, float expected) {
        long bits = Float.floatToRawIntBits(argument) & 0xffffffffL;
        long[] found =
                new Snippet(opcode + " $d, $a;", PtxType.F32, PtxType.F32).run(new long[][] {{bits}});
        assertThat(Float.intBitsToFloat((int) found[0])).as(opcode + " of " + argument).isEqualTo(expected);
    }

    @Test
    void twoHalvesAreAddedEachForItself() {
        long[] found = new Snippet("add.f16x2 $d, $a, $b;", PtxType.B32, PtxType.B32, PtxType.B32)
                .run(new long[][] {{0x3c004000L, 0x3c00c000L}, {0x7bff0001L, 0x7bff0001L}});
        assertThat(found).containsExactly(0x40000000L, 0x7c000002L);
    }
}
