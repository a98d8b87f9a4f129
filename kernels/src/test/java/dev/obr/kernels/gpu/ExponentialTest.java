package dev.obr.kernels.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import org.junit.jupiter.api.Test;

class ExponentialTest {
    @Test
    void isWithinTwoUnitsOfRounding() {
        for (int i = 0; i <= 100_000; i++) {
            float x = -87 + 175 * i / 100_000f;
            double exact = Math.exp(x);
            assertThat((double) Exponential.of(x))
                    .as("e^%s", x)
                    .isCloseTo(exact, offset(2.0 * Math.ulp((float) exact)));
        }
        assertThat(Exponential.of(0)).isEqualTo(1);
    }

    @Test
    void doublesAreWithinTwoUnitsOfRounding() {
        for (int i = 0; i <= 100_000; i++) {
            double x = -708 * Math.pow(i / 100_000.0, 3);
            double exact = StrictMath.exp(x);
            assertThat(Exponential.of(x)).as("e^%s", x).isCloseTo(exact, offset(2 * Math.ulp(exact)));
        }
        assertThat(Exponential.of(0.0)).isEqualTo(1);
        assertThat(Exponential.of(-709.0)).isZero();
        assertThat(Exponential.of(Double.NEGATIVE_INFINITY)).isZero();
    }

    @Test
    void isThatOfTheRangesEndsBeyondThem() {
        assertThat(Exponential.of(Float.NEGATIVE_INFINITY)).isEqualTo(Exponential.of(-87));
        assertThat(Exponential.of(1000)).isEqualTo(Exponential.of(88));
    }

    @Test
    void largeGatesPassAndSmallOnesVanish() {
        assertThat(Exponential.silu(100)).isEqualTo(100);
        assertThat((double) Exponential.silu(-1000)).isCloseTo(0, offset(1e-30));
        assertThat((double) Exponential.silu(1)).isCloseTo(1 / (1 + Math.exp(-1)), offset(1e-7));
    }
}
