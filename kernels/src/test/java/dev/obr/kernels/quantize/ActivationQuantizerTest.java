package dev.obr.kernels.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Codes and scales of one token, against what the definition says in double precision. */
class ActivationQuantizerTest {
    private static final double[] SEARCHED = {1, 0.8, 0.65, 0.5};

    @Property(tries = 300, seed = "20260102")
    void codesAreTheNearestOnAGridOfTheRightStep(
            @ForAll boolean wide,
            @ForAll @IntRange(min = 1, max = 100) int clipPercent,
            @ForAll @IntRange(min = 1, max = 200) int n,
            @ForAll @IntRange(min = -12, max = 12) int exponent,
            @ForAll @IntRange(max = 1 << 20) int seed) {
        float clip = clipPercent / 100f;
        float[] x = Tokens.random(n, exponent, seed);
        float[] codes = x.clone();
        float scale = new ActivationQuantizer(wide ? 8 : 4, clip).quantize(codes, 0, n);
        int q = wide ? 127 : 7;
        double step = largest(x) * (wide ? 1 : clip) / q;
        assertThat(Tokens.isHalf(scale)).isTrue();
        assertThat((double) scale).isCloseTo(step == 0 ? 1 : step, within(Tokens.halfRounding(step)));
        checkCodes(x, codes, scale, q);
    }

    @Property(tries = 300, seed = "20260103")
    void theSearchFindsTheClipOfLeastError(
            @ForAll @IntRange(min = 1, max = 200) int n,
            @ForAll @IntRange(min = -8, max = 8) int exponent,
            @ForAll @IntRange(max = 1 << 20) int seed) {
        float[] x = Tokens.random(n, exponent, seed);
        float[] codes = x.clone();
        float scale = new ActivationQuantizer(4, ActivationQuantizer.SEARCH).quantize(codes, 0, n);
        checkCodes(x, codes, scale, 7);
        double found = squaredError(x, scale);
        boolean among = largest(x) == 0 && scale == 1;
        for (double clip : SEARCHED) {
            float candidate = Float.float16ToFloat(Float.floatToFloat16((float) (largest(x) * clip / 7)));
            if (candidate == 0) {
                continue; // a token of zeros
            }
            among |= Math.abs(candidate - scale) <= candidate * 0x1p-10;
            assertThat(found).isLessThanOrEqualTo(squaredError(x, candidate) * (1 + 1e-5) + 1e-30);
        }
        assertThat(among).as("%s is the step of one of the clips", scale).isTrue();
    }

    /** One outlier among many small values: cutting it off is worth it; among few it is not. */
    @Test
    void theSearchCutsAnOutlierOnlyWhereThatPays() {
        float[] many = new float[4096];
        for (int i = 0; i < many.length; i++) {
            many[i] = (float) Math.sin(i);
        }
        many[7] = 4;
        float[] few = {4, 0.1f, -0.1f};
        ActivationQuantizer quantizer = new ActivationQuantizer(4, ActivationQuantizer.SEARCH);
        assertThat(quantizer.quantize(many, 0, many.length)).isCloseTo(2f / 7, within(1e-3f));
        assertThat(quantizer.quantize(few, 0, few.length)).isCloseTo(4f / 7, within(1e-3f));
    }

    @ParameterizedTest
    @CsvSource({"4, 0", "4, 1", "4, 0.5", "8, 1"})
    void aTokenOfZerosHasStepOne(int bits, float clip) {
        float[] x = {0, -0f, 0};
        assertThat(new ActivationQuantizer(bits, clip).quantize(x, 0, 3)).isEqualTo(1);
        for (float code : x) {
            assertThat(code).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void stepsStayWithinHalfFloats(int bits) {
        float[] huge = {Float.MAX_VALUE, -Float.MAX_VALUE, 1};
        assertThat(new ActivationQuantizer(bits, 1).quantize(huge, 0, 3)).isEqualTo(65504);
        assertThat(huge).containsExactly((1 << bits - 1) - 1, -(1 << bits - 1), 0);
        float[] tiny = {1e-9f, -1e-9f};
        float scale = new ActivationQuantizer(bits, 1).quantize(tiny, 0, 2);
        assertThat(Math.abs(scale * tiny[0] - 1e-9f)).isLessThanOrEqualTo(1e-9f);
    }

    @Test
    void onlyTheStretchAskedForChanges() {
        float[] x = {9, 9, 1, -2, 9};
        float scale = new ActivationQuantizer(4, 1).quantize(x, 2, 2);
        assertThat(x).containsExactly(9, 9, Math.round(1 / scale), -7, 9);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void noNumberStaysNoNumber(int bits) {
        float[] x = {1, Float.NaN, 2};
        float scale = new ActivationQuantizer(bits, 1).quantize(x, 0, 3);
        assertThat(scale * x[1]).isNaN();
    }

    @ParameterizedTest
    @CsvSource({"3, 1", "16, 1", "4, 1.5", "4, -0.1", "4, NaN"})
    void refusesOtherBitsAndClips(int bits, float clip) {
        assertThatThrownBy(() -> new ActivationQuantizer(bits, clip)).isInstanceOf(IllegalArgumentException.class);
    }

    private static void checkCodes(float[] x, float[] codes, float scale, int q) {
        for (int i = 0; i < x.length; i++) {
            double place = Math.max(-q - 1, Math.min(q, (double) x[i] / scale));
            assertThat(codes[i]).isBetween(-q - 1f, (float) q).isEqualTo((float) Math.rint(codes[i]));
            assertThat((double) codes[i]).isCloseTo(place, within(0.5 + 1e-4));
        }
    }

    private static double largest(float[] x) {
        double largest = 0;
        for (float value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double squaredError(float[] x, float scale) {
        double sum = 0;
        for (float value : x) {
            double code = Math.max(-8, Math.min(7, Math.rint((double) value / scale)));
            sum += (value - scale * code) * (value - scale * code);
        }
        return sum;
    }
}
