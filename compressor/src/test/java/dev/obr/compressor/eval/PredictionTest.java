package dev.obr.compressor.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PredictionTest {
    private static Prediction of(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (Math.log(probabilities[i]) + 100); // any constant: only differences count
        }
        return Prediction.of(logits, "m");
    }

    @Test
    void logitsBecomeProbabilities() {
        Prediction prediction = of(0.25, 0.5, 0.125, 0.125);
        assertThat(Math.exp(prediction.logProbability(0))).isCloseTo(0.25, within(1e-5));
        assertThat(Math.exp(prediction.logProbability(3))).isCloseTo(0.125, within(1e-5));
        assertThat(prediction.top()).isEqualTo(1);
    }

    @Test
    void theFirstOfEqualTokensIsTheTop() {
        assertThat(Prediction.of(new float[] {1, 2, 2}, "m").top()).isEqualTo(1);
    }

    @Test
    void divergenceIsTakenFromTheReference() {
        Prediction reference = of(0.5, 0.25, 0.25);
        Prediction model = of(0.25, 0.25, 0.5);
        // 0.5 ln 2 + 0 + 0.25 ln 0.5
        assertThat(model.divergenceFrom(reference)).isCloseTo(0.25 * Math.log(2), within(1e-5));
        assertThat(model.divergenceFrom(model)).isZero();
    }

    @Test
    void impossibleTokensCostNothingUnlessTheReferenceExpectsThem() {
        Prediction sure = Prediction.of(new float[] {0, Float.NEGATIVE_INFINITY}, "m");
        Prediction even = Prediction.of(new float[] {0, 0}, "m");
        assertThat(even.divergenceFrom(sure)).isCloseTo(Math.log(2), within(1e-12));
        assertThat(sure.divergenceFrom(even)).isInfinite();
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void logitsThatAreNoNumbersNameTheModel(float bad) {
        for (float[] logits : new float[][] {{bad, 0, 1}, {0, 1, bad}}) {
            assertThatThrownBy(() -> Prediction.of(logits, "broken"))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("broken")
                    .hasMessageContaining("not finite");
        }
    }
}
