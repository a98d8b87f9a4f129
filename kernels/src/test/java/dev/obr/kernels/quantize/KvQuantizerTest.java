package dev.obr.kernels.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Codes of keys and values as they lie in the cache, read here byte by byte and held to the definition in double precision. */
class KvQuantizerTest {
    private static final byte ELSEWHERE = 0x5A;

    /** A head as its bytes say it is. */
    private record Stored(float scale, int zero, int[] codes, int last) {
        static Stored read(byte[] bytes, int at, int bits, int headDim) {
            int[] codes = new int[headDim];
            for (int i = 0; i < headDim; i++) {
                int pair = bytes[at + (bits == 8 ? i : i / 2)] & 255;
                codes[i] = bits == 8 ? pair : i % 2 == 0 ? pair & 15 : pair >> 4;
            }
            int end = at + headDim * bits / 8;
            short half = (short) (bytes[end] & 255 | bytes[end + 1] << 8);
            return new Stored(Float.float16ToFloat(half), bytes[end + 2] & 255, codes, bytes[end + 3]);
        }
    }

    @Property(tries = 300, seed = "20260104")
    void codesFollowTheDefinition(
            @ForAll boolean wide,
            @ForAll @IntRange(min = 1, max = 64) int halfDim,
            @ForAll @IntRange(min = -12, max = 12) int exponent,
            @ForAll @IntRange(min = -2, max = 2) int shift,
            @ForAll @IntRange(max = 1 << 20) int seed) {
        int bits = wide ? 8 : 4;
        int n = 2 * halfDim;
        float[] x = Tokens.random(n, exponent, seed);
        for (int i = 0; i < n; i++) {
            x[i] += Math.scalb(20f * shift, exponent); // all above zero, all below, or on both sides
        }
        KvQuantizer quantizer = new KvQuantizer(bits, n);
        byte[] bytes = new byte[quantizer.byteSize() + 6];
        Arrays.fill(bytes, ELSEWHERE);
        float[] rounded = new float[n + 2];
        System.arraycopy(x, 0, rounded, 1, n);
        quantizer.store(rounded, 1, MemorySegment.ofArray(bytes), 3);

        Stored stored = Stored.read(bytes, 3, bits, n);
        double lo = 0;
        double hi = 0;
        for (float value : x) {
            lo = Math.min(lo, value);
            hi = Math.max(hi, value);
        }
        int q = (1 << bits) - 1;
        double step = (lo == hi ? 2 : hi - lo) / q;
        assertThat((double) stored.scale).isCloseTo(step, within(Tokens.halfRounding(step)));
        assertThat((double) stored.zero)
                .isCloseTo(Math.min(q, (lo == hi ? 1 : -lo) / stored.scale), within(0.5 + 1e-4));
        for (int i = 0; i < n; i++) {
            double place = Math.max(0, Math.min(q, (double) x[i] / stored.scale + stored.zero));
            assertThat((double) stored.codes[i]).isCloseTo(place, within(0.5 + 1e-4));
            assertThat(rounded[1 + i]).isEqualTo(stored.scale * (stored.codes[i] - stored.zero));
        }
        assertThat(stored.last).isZero();
        assertThat(bytes).startsWith(ELSEWHERE, ELSEWHERE, ELSEWHERE).endsWith(ELSEWHERE, ELSEWHERE, ELSEWHERE);

        float[] expanded = new float[n + 1];
        quantizer.expand(MemorySegment.ofArray(bytes), 3, expanded, 1);
        assertThat(Arrays.copyOfRange(expanded, 1, n + 1)).isEqualTo(Arrays.copyOfRange(rounded, 1, n + 1));
        assertThat(rounded[0]).isZero();
        assertThat(rounded[n + 1]).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void placesAreUsedAgain(int bits) {
        KvQuantizer quantizer = new KvQuantizer(bits, 4);
        byte[] clean = new byte[quantizer.byteSize()];
        byte[] used = new byte[quantizer.byteSize()];
        Arrays.fill(used, (byte) -1);
        quantizer.store(new float[] {1, -2, 3, 0.5f}, 0, MemorySegment.ofArray(clean), 0);
        quantizer.store(new float[] {1, -2, 3, 0.5f}, 0, MemorySegment.ofArray(used), 0);
        assertThat(used).isEqualTo(clean);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void zeroIsExact(int bits) {
        assertThat(roundTrip(bits, 0, 0, 0, 0)).containsExactly(0, 0, 0, 0);
        assertThat(roundTrip(bits, 0, 5.3f, 1, 0.01f)[0]).isZero();
        assertThat(roundTrip(bits, 0, -5.3f, 1, -0.01f)[0]).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void extremesStayFinite(int bits) {
        int q = (1 << bits) - 1;
        float[] wide = roundTrip(bits, Float.MAX_VALUE, -Float.MAX_VALUE, 0, 0);
        assertThat(wide[0]).isBetween(0f, 65504f * q);
        assertThat(wide[1]).isBetween(-65504f * q, 0f);
        float[] huge = roundTrip(bits, Float.MAX_VALUE, 0, 0, 0);
        assertThat(huge).containsExactly(65504f * q, 0, 0, 0);
        float[] tiny = roundTrip(bits, 1e-9f, -1e-9f, 0, Float.MIN_VALUE);
        for (float value : tiny) {
            assertThat(Math.abs(value)).isLessThanOrEqualTo(1e-7f);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void noNumberIsNotHidden(int bits) {
        assertThat(roundTrip(bits, 1, Float.NaN, 2, 3)).containsOnly(Float.NaN);
    }

    @Test
    void bytesOfOneHead() {
        assertThat(new KvQuantizer(4, 64).byteSize()).isEqualTo(36);
        assertThat(new KvQuantizer(8, 64).byteSize()).isEqualTo(68);
        assertThat(new KvQuantizer(4, 2).byteSize()).isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource({"3, 64", "4, 7", "8, 0", "16, 64"})
    void refusesOtherBitsAndOddHeads(int bits, int headDim) {
        assertThatThrownBy(() -> new KvQuantizer(bits, headDim)).isInstanceOf(IllegalArgumentException.class);
    }

    private static float[] roundTrip(int bits, float... x) {
        KvQuantizer quantizer = new KvQuantizer(bits, x.length);
        MemorySegment memory = MemorySegment.ofArray(new byte[quantizer.byteSize()]);
        quantizer.store(x.clone(), 0, memory, 0);
        float[] y = new float[x.length];
        quantizer.expand(memory, 0, y, 0);
        return y;
    }
}
