package dev.obr.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.gpu.tokens.Choice;
import dev.obr.kernels.gpu.tokens.ScalarSampler;
import java.util.Comparator;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a GPU draws from the largest logits is what {@link Sampler} draws from all of them, with the same random number, or it says that these do not suffice. Both compute in doubles, with exponentials
 * that differ in the last bits: a token could differ where a draw falls within 1e-13 of the next one's share, which none of these does.
 */
class ScalarSamplerTest {
    private static final int CANDIDATES = 256;
    private static final int DRAWS = 300;

    @ParameterizedTest
    @CsvSource({
        // vocabulary, temperature, topK, topP, minP, penalty, least and most draws that the candidates do not suffice
        // for
        "2000, 0.8,  40, 0.95, 0.05, 1,     0,   0",
        "2000, 0.8,  40, 0.95, 0.05, 1.2,   0,   0",
        "2000, 1.5, 256, 1,    0,    1,     0,   0",
        "2000, 1,     1, 0.5,  0,    1,     0,   0",
        "2000, 0.3, 200, 0.9,  0,    1,     0,   0",
        "2000, 0,     0, 1,    0,    1.1,   0,   0",
        "2000, 1,     0, 0.5,  0,    1,    30,  90",
        "2000, 1,     0, 0.97, 0,    1,    50, 250", // of flat logits more than 256 are kept
        "2000, 1,     0, 1,    0.1,  1,    20,  90",
        "2000, 1,     0, 0.9,  0.05, 1,     0, 150",
        "2000, 1,     0, 1,    0,    1,   300, 300",
        "2000, 1,   300, 0.9,  0,    1,   300, 300",
        " 100, 0.7,   0, 0.9,  0,    1,     0,   0", // all logits are candidates
        " 100, 0.7, 300, 0.9,  0.01, 1,     0,   0",
        " 100, 0.7,   0, 1,    0,    1,   300, 300",
    })
    void drawsAreThoseOfTheSampler(
            int vocabulary, float temperature, int topK, float topP, float minP, float penalty, int least, int most) {
        long seed = 5;
        Sampler sampler = new Sampler(new SamplerOptions(temperature, topK, topP, minP, penalty, 10, seed));
        SplittableRandom uniforms = new SplittableRandom(seed); // the sampler's own
        Random random = new Random(vocabulary + topK);
        int[] context = random.ints(30, 0, vocabulary).toArray();
        int wanting = 0;
        for (int draw = 0; draw < DRAWS; draw++) {
            float spread = 0.5f + draw % 10 * 0.5f;
            float[] logits = new float[vocabulary];
            for (int i = 0; i < vocabulary; i++) {
                logits[i] = Math.round((float) random.nextGaussian() * spread * 64) / 64f; // with equals
            }
            float[] penalised = logits.clone();
            int expected = sampler.next(logits, context, context.length);
            double uniform = temperature == 0 ? 0 : uniforms.nextDouble();
            int found = drawn(new Choice(uniform, temperature, topK, topP, minP, penalty, 10), penalised, context);
            assertThat(penalised).isEqualTo(logits);
            if (found == ScalarSampler.MORE) {
                wanting++;
            } else {
                assertThat(found).as("draw %d", draw).isEqualTo(expected);
            }
        }
        assertThat(wanting).isBetween(least, most);
    }

    /** What the device's kernels make of a row: penalties, the largest logits and the sum of all, the draw. */
    private static int drawn(Choice choice, float[] logits, int[] context) {
        if (choice.repeatPenalty() != 1) {
            ScalarSampler.penalise(choice, logits, context, context.length);
        }
        int[] tokens = IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]))
                .mapToInt(Integer::intValue)
                .limit(CANDIDATES)
                .toArray();
        float[] values = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            values[i] = logits[tokens[i]];
        }
        double total = IntStream.range(0, logits.length)
                .mapToDouble(i -> Math.exp(logits[i] - values[0]))
                .sum();
        return ScalarSampler.sample(choice, values, tokens, (float) total, logits.length);
    }
}
