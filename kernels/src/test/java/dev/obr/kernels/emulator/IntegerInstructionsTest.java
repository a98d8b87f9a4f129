package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Integer arithmetic against whole numbers of any size, cut to the type. */
class IntegerInstructionsTest {
    private interface Truth {
        BigInteger of(BigInteger a, BigInteger b, BigInteger c);
    }

    private static final List<Arguments> CASES = new ArrayList<>();

    static {
        for (String type : List.of("u16", "s16", "u32", "s32", "u64", "s64")) {
            binary("add." + type, type, (a, b, c) -> a.add(b));
            binary("sub." + type, type, (a, b, c) -> a.subtract(b));
            binary("mul.lo." + type, type, (a, b, c) -> a.multiply(b));
            int bits = Integer.parseInt(type.substring(1));
            binary("mul.hi." + type, type, (a, b, c) -> a.multiply(b).shiftRight(bits));
            binary("min." + type, type, (a, b, c) -> a.min(b));
            binary("max." + type, type, (a, b, c) -> a.max(b));
            // PTX leaves division by zero open; here it is all ones, and the dividend remains.
            binary("div." + type, type, (a, b, c) -> b.signum() == 0 ? BigInteger.ONE.negate() : a.divide(b));
            binary("rem." + type, type, (a, b, c) -> b.signum() == 0 ? a : a.subtract(a.divide(b).multiply(b)));
            ternary("mad.lo." + type, type, (a, b, c) -> a.multiply(b).add(c));
            ternary("mad.hi." + type, type, (a, b, c) -> a.multiply(b).shiftRight(bits).add(c));
            ternary("sad." + type, type, (a, b, c) -> a.subtract(b).abs().add(c));
            if (type.startsWith("s")) {
                unary("abs." + type, type, (a, b, c) -> a.abs());
                unary("neg." + type, type, (a, b, c) -> a.negate());
            }
            if (bits < 64) {
                String twice = type.charAt(0) + "" + 2 * bits;
                add("mul.wide." + type + " $d, $a, $b;", twice, (a, b, c) -> a.multiply(b), type, type);
                add("mad.wide." + type + " $d, $a, $b, $c;", twice, (a, b, c) -> a.multiply(b).add(c), type, type, twice);
            }
        }
        BigInteger least = BigInteger.valueOf(Integer.MIN_VALUE);
        BigInteger most = BigInteger.valueOf(Integer.MAX_VALUE);
        binary("add.sat.s32", "s32", (a, b, c) -> a.add(b).max(least).min(most));
        binary("sub.sat.s32", "s32", (a, b, c) -> a.subtract(b).max(least).min(most));
        BigInteger low24 = BigInteger.ONE.shiftLeft(24).subtract(BigInteger.ONE);
        binary("mul24.lo.u32", "u32", (a, b, c) -> a.and(low24).multiply(b.and(low24)));
        binary("mul24.hi.u32", "u32", (a, b, c) -> a.and(low24).multiply(b.and(low24)).shiftRight(16));
        add(
                "add.cc.u32 %q0, $a, $b; addc.u32 $d, 0, 0;",
                "u32",
                (a, b, c) -> a.add(b).shiftRight(32),
                "u32",
                "u32");
        add(
                "sub.cc.u32 %q0, $a, $b; subc.u32 $d, $a, $a;",
                "u32",
                (a, b, c) -> a.subtract(b).shiftRight(32),
                "u32",
                "u32");
        add(
                "add.cc.u64 %w0, $a, $b; addc.u64 $d, 0, 0;",
                "u64",
                (a, b, c) -> a.add(b).shiftRight(64),
                "u64",
                "u64");
        add(
                "sub.cc.u64 %w0, $a, $b; subc.u64 $d, $a, $a;",
                "u64",
                (a, b, c) -> a.subtract(b).shiftRight(64),
                "u64",
                "u64");
        add(
                "mad.lo.cc.u32 %q0, $a, $b, $c; madc.hi.u32 $d, $a, $b, 0;",
                "u32",
                (a, b, c) -> a.multiply(b).add(c).shiftRight(32),
                "u32",
                "u32",
                "u32");
        add("dp4a.s32.s32 $d, $a, $b, $c;", "s32", (a, b, c) -> dot(a, b, true, true).add(c), "u32", "u32", "s32");
        add("dp4a.u32.s32 $d, $a, $b, $c;", "s32", (a, b, c) -> dot(a, b, false, true).add(c), "u32", "u32", "s32");
        add("dp4a.u32.u32 $d, $a, $b, $c;", "u32", (a, b, c) -> dot(a, b, false, false).add(c), "u32", "u32", "u32");
    }

    private static BigInteger dot(BigInteger a, BigInteger b, boolean signedA, boolean signedB) {
        BigInteger sum = BigInteger.ZERO;
        byte[] x = bytes(a);
        byte[] y = bytes(b);
        for (int i = 0; i < 4; i++) {
            sum = sum.add(BigInteger.valueOf((signedA ? x[i] : Byte.toUnsignedInt(x[i]))
                    * (signedB ? y[i] : Byte.toUnsignedInt(y[i]))));
        }
        return sum;
    }

    private static byte[] bytes(BigInteger value) {
        byte[] bytes = new byte[4];
        for (int i = 0; i < 4; i++) {
            bytes[i] = value.shiftRight(8 * i).byteValue();
        }
        return bytes;
    }

    private static void unary(String opcode, String type, Truth truth) {
        add(opcode + " $d, $a;", type, truth, type);
    }

    private static void binary(String opcode, String type, Truth truth) {
        add(opcode + " $d, $a, $b;", type, truth, type, type);
    }

    private static void ternary(String opcode, String type, Truth truth) {
        add(opcode + " $d, $a, $b, $c;", type, truth, type, type, type);
    }

    private static void add(String text, String result, Truth truth, String... operands) {
        CASES.add(Arguments.of(text, result, truth, operands));
    }

    static Stream<Arguments> everyInstruction() {
        return CASES.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("everyInstruction")
    void isExactModuloItsType(String text, String result, Truth truth, String[] types) {
        PtxType[] operands = Stream.of(types).map(IntegerInstructionsTest::type).toArray(PtxType[]::new);
        long[][] columns = new long[types.length][];
        for (int i = 0; i < types.length; i++) {
            columns[i] = values(operands[i], types.length == 3 ? 9 : 20);
        }
        long[][] rows = Snippet.product(columns);
        PtxType to = type(result);
        long[] found = new Snippet(text, to, operands).run(rows);
        for (int i = 0; i < rows.length; i++) {
            BigInteger[] v = new BigInteger[3];
            for (int o = 0; o < 3; o++) {
                v[o] = o < operands.length ? number(rows[i][o], operands[o]) : BigInteger.ZERO;
            }
            long wanted = truth.of(v[0], v[1], v[2]).longValue() & mask(to);
            assertThat(found[i]).as("%s of %s %s %s", text, v[0], v[1], v[2]).isEqualTo(wanted);
        }
    }

    private static PtxType type(String name) {
        PtxType type = PtxType.of(name);
        if (type == null) {
            throw new IllegalArgumentException(name);
        }
        return type;
    }

    private static long mask(PtxType type) {
        return type.bits() == 64 ? -1 : (1L << type.bits()) - 1;
    }

    static BigInteger number(long bits, PtxType type) {
        BigInteger value = new BigInteger(Long.toUnsignedString(bits & mask(type)));
        return type.signed() && value.testBit(type.bits() - 1)
                ? value.subtract(BigInteger.ONE.shiftLeft(type.bits()))
                : value;
    }

    /** Corners first, then some in between. */
    private static long[] values(PtxType type, int count) {
        long top = 1L << type.bits() - 1;
        long[] corners = {0, 1, -1, top, top - 1, top + 1, 2, -2, 0x1234567890abcdefL, 3, 7, 31, 32, 255, 256, 0xff00, 0x8000, 0x5555555555555555L, 1000, -1000};
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = corners[i] & mask(type);
        }
        return values;
    }
}
