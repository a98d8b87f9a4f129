package dev.obr.kernels.gpu.check;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComparisonTest {
    @Test
    void namesTheFirstThatIsOffAndKeepsTheLargestDifference() {
        double[] found = {1, 2.5, 3, 9};
        double[] expected = {1, 2, 3.25, 4};
        Comparison comparison =
                Comparison.of(4, i -> found[i], i -> expected[i], i -> i == 1 ? 0.5 : 0.1, i -> "element " + i);
        assertThat(comparison).isEqualTo(new Comparison(4, 5, "element 2 is 3, not 3.25"));
        assertThat(comparison.right()).isFalse();
        assertThat(Comparison.NONE.and(comparison)).isEqualTo(comparison);
    }

    @ParameterizedTest
    @CsvSource({
        "NaN, NaN, 0",
        "Infinity, Infinity, 0",
        "-0.0, 0.0, 0",
        "NaN, 1, Infinity",
        "1, NaN, Infinity",
        "Infinity, 1, Infinity"
    })
    void noNumberEqualsNoNumber(double found, double expected, double difference) {
        Comparison comparison = Comparison.equal(1, i -> found, i -> expected, i -> "it");
        assertThat(comparison.largest()).isEqualTo(difference);
        assertThat(comparison.right()).isEqualTo(difference == 0);
    }
}
