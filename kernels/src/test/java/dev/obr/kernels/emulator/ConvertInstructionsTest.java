package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.FloatFormat.Mode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Conversions between all pairs of types against exact values. */
class ConvertInstructionsTest {
    private static final List<PtxType> INTEGERS = List.of(
            PtxType.U8, PtxType.S8, PtxType.U16, PtxType.S16, PtxType.U32, PtxType.S32, PtxType.U64, PtxType.S64);
    private static final List<PtxType> FLOATS = List.of(PtxType.F16, PtxType.BF16, PtxType.F32, PtxType.F64);

    static Stream<Arguments> integers() {
        List<Arguments> pairs = new ArrayList<>();
        for (PtxType from : INTEGERS) {
            for (PtxType to : INTEGERS) {
                pairs.add(Arguments.of(to, from, false));
                pairs.add(Arguments.of(to, from, true));
            }
        }
        return pairs.stream();
    }

    @ParameterizedTest(name = "cvt{0}{1} saturating {2}")
    @MethodSource("integers")
    void integersAreCutOffOrClamped(PtxType to, PtxType from, boolean saturating) {
        long[] values = {0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 32768, 65535, 65536, Integer.MAX_VALUE,
            Integer.MIN_VALUE, 0xffffffffL, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, 0x123456789abcdef0L};
        long[][] rows = Snippet.product(values);
        String text = "cvt" + (saturating ? ".sat" : "") + to + from + " $d, $a;";
        // 8-bit numbers live in 16-bit registers, extended by the type.
        PtxType register = to.bits() == 8 ? PtxType.B16 : to;
        long[] found = new Snippet(text, register, from.bits() == 8 ? PtxType.B16 : from).run(rows);
        for (int i = 0; i < rows.length; i++) {
            BigInteger value = IntegerInstructionsTest.number(rows[i][0], from);
            if (saturating) {
                value = value.max(least(to)).min(most(to));
            } else {
                value = IntegerInstructionsTest.number(value.longValue(), to);
            }
            assertThat(found[i]).as("%s of %d", text, rows[i][0]).isEqualTo(low(value, register));
        }
    }

    static Stream<Arguments> toIntegers() {
        List<Arguments> pairs = new ArrayList<>();
        for (PtxType from : List.of(PtxType.F16, PtxType.F32, PtxType.F64)) {
            for (PtxType to : INTEGERS) {
                for (String mode : List.of("rni", "rzi", "rmi", "rpi")) {
                    pairs.add(Arguments.of(to, from, mode));
                }
            }
        }
        return pairs.stream();
    }

    @ParameterizedTest(name = "cvt.{2}{0}{1}")
    @MethodSource("toIntegers")
    void floatsAreRoundedAndClamped(PtxType to, PtxType from, String mode) {
        FloatFormat format = FloatFormat.of(from);
        List<Long> values = new ArrayList<>();
        for (long bits : format.values()) {
            values.add(bits);
        }
        for (String number : List.of("0.5", "1.5", "2.5", "-0.5", "-1.5", "-2.5", "0.49", "127.5", "128", "-128.5",
                "255.5", "32767.5", "65503", "2147483647", "2147483648", "-2147483649", "4294967295.5",
                "9223372036854775808", "18446744073709551615", "-9223372036854775809")) {
            values.add(format.round(new BigDecimal(number), Mode.RN, false));
        }
        long[][] rows = Snippet.product(values.stream().mapToLong(Long::longValue).toArray());
        PtxType register = to.bits() == 8 ? PtxType.B16 : to;
        String text = "cvt." + mode + to + from + " $d, $a;";
        long[] found = new Snippet(text, register, from).run(rows);
        RoundingMode rounding =
                switch (mode) {
                    case "rni" -> RoundingMode.HALF_EVEN;
                    case "rzi" -> RoundingMode.DOWN;
                    case "rmi" -> RoundingMode.FLOOR;
                    default -> RoundingMode.CEILING;
                };
        for (int i = 0; i < rows.length; i++) {
            long bits = rows[i][0];
            BigInteger wanted;
            if (format.isNan(bits)) {
                wanted = from == PtxType.F64 || to.bits() == 64 ? BigInteger.ONE.shiftLeft(to.bits() - 1) : BigInteger.ZERO;
                wanted = IntegerInstructionsTest.number(wanted.longValue(), to);
            } else if (!format.finite(bits)) {
                wanted = format.negative(bits) ? least(to) : most(to);
            } else {
                wanted = format.value(bits).setScale(0, rounding).toBigInteger().max(least(to)).min(most(to));
            }
            assertThat(found[i]).as("%s of %x", text, bits).isEqualTo(low(wanted, register));
        }
    }

    static Stream<Arguments> toFloats() {
        List<Arguments> pairs = new ArrayList<>();
        for (Mode mode : Mode.values()) {
            for (PtxType from : INTEGERS) {
                for (PtxType to : List.of(PtxType.F16, PtxType.F32, PtxType.F64)) {
                    pairs.add(Arguments.of(to, from, mode));
                }
            }
            for (PtxType from : FLOATS) {
                for (PtxType to : FLOATS) {
                    if (to.bits() < from.bits()) {
                        pairs.add(Arguments.of(to, from, mode));
                    }
                }
            }
        }
        return pairs.stream();
    }

    @ParameterizedTest(name = "cvt.{2}{0}{1}")
    @MethodSource("toFloats")
    void isRoundedOnce(PtxType to, PtxType from, Mode mode) {
        FloatFormat format = FloatFormat.of(to);
        boolean integer = from.isInteger();
        List<Long> values = new ArrayList<>(List.of(0L, 1L, -1L, 77L, 2049L, 4097L, 4098L, 16777217L, 16777219L, 33554435L,
                Long.MAX_VALUE, Long.MIN_VALUE, 0x7fffffbfffffffffL, 0x8000008000000001L, -16777219L, 65519L, 65520L, 0xfffffffffffffc01L));
        if (!integer) {
            FloatFormat source = FloatFormat.of(from);
            values.clear();
            for (long bits : source.values()) {
                values.add(bits);
            }
            for (String number : List.of("65519.99", "65520", "1e-8", "2.98e-8", "2.99e-8", "5.96e-8", "-6.1e-5", "1.00048828125",
                    "1.000488281251", "3.3895313892515355e38", "3.4028235677973366e38", "1e-40", "7e-46", "8e-46", "1.00390625")) {
                values.add(source.round(new BigDecimal(number), Mode.RN, false));
            }
        }
        long[][] rows = Snippet.product(values.stream().mapToLong(Long::longValue).toArray());
        String text = "cvt." + mode.name().toLowerCase(Locale.ROOT) + to + from + " $d, $a;";
        long[] found = new Snippet(text, to, from.bits() == 8 ? PtxType.B16 : from).run(rows);
        for (int i = 0; i < rows.length; i++) {
            long bits = rows[i][0];
            long wanted;
            if (integer) {
                wanted = format.round(new BigDecimal(IntegerInstructionsTest.number(bits, from)), mode, false);
            } else {
                FloatFormat source = FloatFormat.of(from);
                if (source.isNan(bits)) {
                    assertThat(format.isNan(found[i])).as("%s of %x", text, bits).isTrue();
                    continue;
                }
                wanted = source.finite(bits)
                        ? format.round(source.value(bits), mode, source.negative(bits))
                        : format.infinity(source.negative(bits));
            }
            assertThat(Long.toHexString(found[i])).as("%s of %x", text, bits).isEqualTo(Long.toHexString(wanted));
        }
    }

    @Test
    void everyHalfWidensExactly() {
        for (PtxType from : List.of(PtxType.F16, PtxType.BF16)) {
            long[][] rows = new long[1 << 16][1];
            for (int i = 0; i < rows.length; i++) {
                rows[i][0] = i;
            }
            long[] found = new Snippet("cvt.f32" + from + " $d, $a;", PtxType.F32, from).run(rows);
            FloatFormat format = FloatFormat.of(from);
            for (int i = 0; i < rows.length; i++) {
                if (format.finite(i)) {
                    float value = Float.intBitsToFloat((int) found[i]);
                    assertThat(new BigDecimal(value)).isEqualByComparingTo(format.value(i));
                    assertThat(Float.floatToRawIntBits(value) < 0).isEqualTo(format.negative(i));
                } else {
                    assertThat(FloatFormat.F32.isNan(found[i])).isEqualTo(format.isNan(i));
                }
            }
        }
    }

    @Test
    void theFirstOfTwoLiesInTheUpperHalf() {
        long a = Float.floatToRawIntBits(1.5f);
        long b = Float.floatToRawIntBits(-2f) & 0xffffffffL;
        long[][] row = {{a, b}};
        assertThat(new Snippet("cvt.rn.f16x2.f32 $d, $a, $b;", PtxType.B32, PtxType.F32, PtxType.F32).run(row)[0])
                .isEqualTo(0x3e00c000L);
        assertThat(new Snippet("cvt.rn.bf16x2.f32 $d, $a, $b;", PtxType.B32, PtxType.F32, PtxType.F32).run(row)[0])
                .isEqualTo(0x3fc0c000L);
        assertThat(new Snippet("cvt.rn.relu.f16x2.f32 $d, $a, $b;", PtxType.B32, PtxType.F32, PtxType.F32).run(row)[0])
                .isEqualTo(0x3e000000L);
    }

    @Test
    void numbersArePackedAboveWhatWasPacked() {
        long[] found = new Snippet(
                        "cvt.pack.sat.s8.s32.b32 $d, $a, $b, $c;", PtxType.B32, PtxType.S32, PtxType.S32, PtxType.B32)
                .run(new long[][] {{300, -300, 0xabcdL}, {-1, 5, 0x11223344L}});
        assertThat(found).containsExactly(0xabcd7f80L, 0x3344ff05L);
        assertThat(new Snippet("cvt.pack.sat.u16.s32 $d, $a, $b;", PtxType.B32, PtxType.S32, PtxType.S32)
                        .run(new long[][] {{70000, -7}})[0])
                .isEqualTo(0xffff0000L);
    }

    private static BigInteger least(PtxType type) {
        return type.signed() ? BigInteger.ONE.shiftLeft(type.bits() - 1).negate() : BigInteger.ZERO;
    }

    private static BigInteger most(PtxType type) {
        return BigInteger.ONE.shiftLeft(type.bits() - (type.signed() ? 1 : 0)).subtract(BigInteger.ONE);
    }

    private static long low(BigInteger value, PtxType type) {
        return value.longValue() & (type.bits() == 64 ? -1 : (1L << type.bits()) - 1);
    }
}
