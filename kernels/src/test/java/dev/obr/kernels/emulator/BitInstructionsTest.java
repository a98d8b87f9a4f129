package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Instructions on bits, against the same bit by bit, as the PTX manual writes them. */
class BitInstructionsTest {
    /** Bit i of the result, of operands as bits. */
    private interface Bits {
        boolean bit(int i, boolean[] a, boolean[] b, long c, long e);
    }

    private static final long[] VALUES = {
        0, 1, -1, 0x8000000080000000L, 0x7fffffff7fffffffL, 0x123456789abcdef0L, 0x00ff00ff00ff00ffL, 0xdeadbeefcafebabeL
    };
    private static final long[] AMOUNTS = {0, 1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 0xffffffffL};

    private static final List<Arguments> CASES = new ArrayList<>();

    static {
        for (int n : new int[] {16, 32, 64}) {
            add("and.b" + n + " $d, $a, $b;", n, n, (i, a, b, c, e) -> a[i] && b[i]);
            add("or.b" + n + " $d, $a, $b;", n, n, (i, a, b, c, e) -> a[i] || b[i]);
            add("xor.b" + n + " $d, $a, $b;", n, n, (i, a, b, c, e) -> a[i] != b[i]);
            add("not.b" + n + " $d, $a;", n, n, (i, a, b, c, e) -> !a[i]);
            add("shl.b" + n + " $d, $a, $c;", n, n, (i, a, b, c, e) -> c <= i && a[i - (int) c]);
            add("shr.u" + n + " $d, $a, $c;", n, n, (i, a, b, c, e) -> c + i < n && a[i + (int) c]);
            add("shr.b" + n + " $d, $a, $c;", n, n, (i, a, b, c, e) -> c + i < n && a[i + (int) c]);
            add("shr.s" + n + " $d, $a, $c;", n, n, (i, a, b, c, e) -> a[(int) Math.min(c + i, n - 1)]);
        }
        for (int n : new int[] {32, 64}) {
            add("brev.b" + n + " $d, $a;", n, n, (i, a, b, c, e) -> a[n - 1 - i]);
            add("popc.b" + n + " $d, $a;", 32, n, (i, a, b, c, e) -> number(count(a)).charAt(31 - i) == '1');
            add("clz.b" + n + " $d, $a;", 32, n, (i, a, b, c, e) -> number(zeros(a)).charAt(31 - i) == '1');
            add("bfind.u" + n + " $d, $a;", 32, n, (i, a, b, c, e) -> number(highest(a, false)).charAt(31 - i) == '1');
            add("bfind.s" + n + " $d, $a;", 32, n, (i, a, b, c, e) -> number(highest(a, a[n - 1])).charAt(31 - i) == '1');
            add("bfind.shiftamt.u" + n + " $d, $a;", 32, n, (i, a, b, c, e) -> {
                int at = highest(a, false);
                return number(at < 0 ? -1 : n - 1 - at).charAt(31 - i) == '1';
            });
            add("bfe.u" + n + " $d, $a, $c, $e;", n, n, (i, a, b, c, e) -> {
                long from = c & 255;
                long length = e & 255;
                return i < length && from + i < n && a[(int) from + i];
            });
            add("bfe.s" + n + " $d, $a, $c, $e;", n, n, (i, a, b, c, e) -> {
                long from = c & 255;
                long length = e & 255;
                boolean sign = length != 0 && a[(int) Math.min(from + length - 1, n - 1)];
                return i < length && from + i < n ? a[(int) from + i] : sign;
            });
            add("bfi.b" + n + " $d, $a, $b, $c, $e;", n, n, (i, a, b, c, e) -> {
                long from = c & 255;
                long length = e & 255;
                return i >= from && i < from + length ? a[i - (int) from] : b[i];
            });
        }
        add("shf.l.wrap.b32 $d, $a, $b, $c;", 32, 32, (i, a, b, c, e) -> funnel(a, b, i + 32 - (int) (c & 31)));
        add("shf.r.wrap.b32 $d, $a, $b, $c;", 32, 32, (i, a, b, c, e) -> funnel(a, b, i + (int) (c & 31)));
        add("shf.l.clamp.b32 $d, $a, $b, $c;", 32, 32, (i, a, b, c, e) -> funnel(a, b, i + 32 - (int) Math.min(c, 32)));
        add("shf.r.clamp.b32 $d, $a, $b, $c;", 32, 32, (i, a, b, c, e) -> funnel(a, b, i + (int) Math.min(c, 32)));
    }

    /** Bit i of b above a. */
    private static boolean funnel(boolean[] a, boolean[] b, int i) {
        return i < 32 ? a[i] : i < 64 && b[i - 32];
    }

    private static int count(boolean[] a) {
        int count = 0;
        for (boolean bit : a) {
            count += bit ? 1 : 0;
        }
        return count;
    }

    private static int zeros(boolean[] a) {
        return a.length - 1 - highest(a, false);
    }

    /** The highest bit that differs from a sign. */
    private static int highest(boolean[] a, boolean sign) {
        int i = a.length - 1;
        while (i >= 0 && a[i] == sign) {
            i--;
        }
        return i;
    }

    private static String number(int value) {
        String text = Integer.toBinaryString(value);
        return "0".repeat(32 - text.length()) + text;
    }

    private static void add(String text, int result, int bits, Bits truth) {
        CASES.add(Arguments.of(text, result, bits, truth));
    }

    static Stream<Arguments> everyInstruction() {
        return CASES.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("everyInstruction")
    void isWhatItsBitsAre(String text, int result, int bits, Bits truth) {
        PtxType operand = PtxType.valueOf("B" + bits);
        boolean two = text.contains("$b");
        long[][] rows = Snippet.product(
                VALUES, two ? VALUES : new long[] {0}, text.contains("$c") ? AMOUNTS : new long[] {0},
                text.contains("$e") ? AMOUNTS : new long[] {0});
        long[] found = new Snippet(text, PtxType.valueOf("B" + result), operand, operand, PtxType.B32, PtxType.B32)
                .run(rows);
        for (int r = 0; r < rows.length; r++) {
            long wanted = 0;
            for (int i = 0; i < result; i++) {
                boolean bit = truth.bit(i, bits(rows[r][0], bits), bits(rows[r][1], bits), rows[r][2], rows[r][3]);
                wanted |= bit ? 1L << i : 0;
            }
            assertThat(found[r])
                    .as("%s of %x %x %d %d", text, rows[r][0], rows[r][1], rows[r][2], rows[r][3])
                    .isEqualTo(wanted);
        }
    }

    private static boolean[] bits(long value, int count) {
        boolean[] bits = new boolean[count];
        for (int i = 0; i < count; i++) {
            bits[i] = (value >>> i & 1) != 0;
        }
        return bits;
    }

    /** The manual's recipe for a table is to compute with 0xf0, 0xcc and 0xaa what one wants of a, b and c. */
    @Test
    void everyTableOfThreeInputsIsItsOwnTruth() {
        for (int table = 0; table < 256; table++) {
            long[] found = new Snippet(
                            "lop3.b32 $d, $a, $b, $c, " + table + ";",
                            PtxType.B32,
                            PtxType.B32,
                            PtxType.B32,
                            PtxType.B32)
                    .run(new long[][] {{0xf0, 0xcc, 0xaa}, {0xf0f0f0f0L, 0xccccccccL, 0xaaaaaaaaL}});
            assertThat(found[0] & 0xff).isEqualTo(table);
            assertThat(found[1]).isEqualTo(table * 0x01010101L);
        }
    }

    @Test
    void bytesArePermuted() {
        long a = 0x33221100L;
        long b = 0x77665544L;
        long[][] expected = {
            {0x3210, 0x33221100L}, {0x7654, 0x77665544L}, {0x0000, 0}, {0x5140, 0x55114400L}, {0x1032, 0x11003322L},
            {0x8888, 0}
        };
        for (long[] row : expected) {
            assertThat(permute("", a, b, row[0])).isEqualTo(row[1]);
        }
        // The top bit of a nibble spreads the sign of its byte.
        assertThat(permute("", 0x80ff7f01L, 0x00000080L, 0xcba9)).isEqualTo(0xffffff00L);
        assertThat(permute("", 0x80ff7f01L, 0x00000080L, 0x98f8)).isEqualTo(0x00000000L);
        String[][] modes = {
            {"f4e", "33221100", "44332211", "55443322", "66554433"},
            {"b4e", "55667700", "66770011", "77001122", "00112233"},
            {"rc8", "00000000", "11111111", "22222222", "33333333"},
            {"ecl", "33221100", "33221111", "33222222", "33333333"},
            {"ecr", "00000000", "11111100", "22221100", "33221100"},
            {"rc16", "11001100", "33223322", "11001100", "33223322"}
        };
        for (String[] mode : modes) {
            for (int c = 0; c < 4; c++) {
                assertThat(permute("." + mode[0], a, b, c)).as(mode[0]).isEqualTo(Long.parseLong(mode[c + 1], 16));
            }
        }
    }

    private static long permute(String mode, long a, long b, long c) {
        return new Snippet(
                        "prmt.b32" + mode + " $d, $a, $b, $c;", PtxType.B32, PtxType.B32, PtxType.B32, PtxType.B32)
                .run(new long[][] {{a, b, c}})[0];
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void registersAreTakenApartAndPutTogether(int seed) {
        long value = new Random(seed).nextLong();
        long[][] row = {{value}};
        assertThat(new Snippet("mov.b64 {%q0, %q1}, $a; mov.b64 $d, {%q1, %q0};", PtxType.B64, PtxType.B64).run(row)[0])
                .isEqualTo(Long.rotateLeft(value, 32));
        assertThat(new Snippet(
                                "mov.b64 {%h0, %h1, %h2, %h3}, $a; mov.b64 $d, {%h3, %h2, %h1, %h0};",
                                PtxType.B64,
                                PtxType.B64)
                        .run(row)[0])
                .isEqualTo(value >>> 48
                        | (value >>> 32 & 0xffff) << 16
                        | (value >>> 16 & 0xffff) << 32
                        | (value & 0xffff) << 48);
        assertThat(new Snippet("mov.b32 {_, %h1}, $a; mov.b32 $d, {%h1, %h1};", PtxType.B32, PtxType.B32).run(row)[0])
                .isEqualTo((value >>> 16 & 0xffff) * 0x10001L);
    }
}
