package dev.obr.compressor.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Means, errors and quantiles of samples that can be worked out by hand. */
class StatisticsTest {
    @Test
    void theErrorOfAMeanIsThatOfTheSample() {
        MeanAndError found = MeanAndError.of(new double[] {1, 2, 3, 4});
        assertThat(found.mean()).isEqualTo(2.5);
        assertThat(found.error()).isCloseTo(Math.sqrt(5.0 / 3 / 4), within(1e-12));
        assertThat(MeanAndError.of(new double[] {7}).error()).isNaN();
    }

    @Test
    void perplexityIsTheExponentialOfTheMeanLoss() {
        Perplexity found = Perplexity.of(new double[] {Math.log(2), Math.log(8)});
        assertThat(found.value()).isCloseTo(4, within(1e-12));
        // llama-perplexity's: ppl sqrt((mean of squares - square of mean) / (n - 1)), here 4 ln 2
        assertThat(found.error()).isCloseTo(4 * Math.log(2), within(1e-12));
    }

    @Test
    void quantilesLieBetweenTheValues() {
        double[] values =
                IntStream.rangeClosed(0, 200).mapToDouble(i -> 200 - i).toArray();
        Divergence found = Divergence.of(values, new double[] {1, 1, 1, 0});
        assertThat(found.median()).isEqualTo(100);
        assertThat(found.percentile99()).isCloseTo(198, within(1e-9));
        assertThat(found.maximum()).isEqualTo(200);
        assertThat(found.sameTop().mean()).isEqualTo(0.75);
        assertThat(Divergence.of(new double[] {1, 2}, new double[] {0, 0}).median())
                .isEqualTo(1.5);
    }
}
