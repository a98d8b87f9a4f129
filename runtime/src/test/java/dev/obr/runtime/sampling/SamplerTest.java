package dev.obr.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final SamplerOptions PLAIN = new SamplerOptions(1, 0, 1, 0, 1, 0, 7);
    private static final float[] LOGITS = {0, 2, 1, -1, 2.5f};

    @Test
    void temperatureZeroTakesTheLikeliest() {
        assertThat(next(SamplerOptions.defaults().withTemperature(0), LOGITS)).isEqualTo(4);
    }

    @Test
    void frequenciesFollowTheSoftmax() {
        double[] expected = softmax(LOGITS, 1);
        Map<Integer, Integer> counts = draw(PLAIN, LOGITS, 20_000);
        for (int i = 0; i < LOGITS.length; i++) {
            assertThat(counts.getOrDefault(i, 0) / 20_000.0).isCloseTo(expected[i], within(0.015));
        }
    }

    @Test
    void temperatureFlattensOrSharpens() {
        double[] expected = softmax(LOGITS, 0.5);
        Map<Integer, Integer> counts = draw(PLAIN.withTemperature(0.5f), LOGITS, 20_000);
        assertThat(counts.getOrDefault(4, 0) / 20_000.0).isCloseTo(expected[4], within(0.015));
    }

    @Test
    void topPKeepsTheFewestTokensThatReachIt() {
        // probabilities: 4: .50, 1: .30, 2: .11, 0: .04, 3: .015 (of a softmax)
        assertThat(draw(PLAIN.withTopP(0.5f), LOGITS, 2_000).keySet()).containsExactlyInAnyOrder(4);
        assertThat(draw(PLAIN.withTopP(0.55f), LOGITS, 2_000).keySet()).containsExactlyInAnyOrder(4, 1);
    }

    @Test
    void minPDropsWhatIsFarBelowTheLikeliest() {
        // exp(2 - 2.5) = 0.61, exp(1 - 2.5) = 0.22
        assertThat(draw(PLAIN.withMinP(0.5f), LOGITS, 2_000).keySet()).containsExactlyInAnyOrder(4, 1);
    }

    @Test
    void repeatedTokensArePenalisedOnceWithinTheWindow() {
        SamplerOptions options = PLAIN.withTemperature(0).withRepeatPenalty(2).withRepeatLastN(3);
        Sampler sampler = new Sampler(options);
        // token 4 falls to 1.25 (not to 0.6, though it occurs twice), token 1 is out of the window and wins
        assertThat(sampler.next(LOGITS.clone(), new int[] {1, 4, 4, 3}, 4)).isEqualTo(1);
        // a negative logit is multiplied: -1 becomes -2
        float[] logits = {-1.5f, -1};
        sampler.next(logits, new int[] {1}, 1);
        assertThat(logits).containsExactly(-1.5f, -2);
    }

    @Test
    void tokensOfTheNewTextArePenalisedForBeingThereAndEachTime() {
        SamplerOptions options =
                PLAIN.withTemperature(0).withPresencePenalty(0.5f).withFrequencyPenalty(0.25f);
        float[] logits = LOGITS.clone();
        // the prompt is 4, 4, 0; the new text 1, 3, 1
        assertThat(new Sampler(options, 3).next(logits, new int[] {4, 4, 0, 1, 3, 1, 2}, 6))
                .isEqualTo(4);
        assertThat(logits).containsExactly(0, 2 - 0.5f - 2 * 0.25f, 1, -1 - 0.5f - 0.25f, 2.5f);
        // what is below 0 makes repetition likelier
        assertThat(new Sampler(PLAIN.withTemperature(0).withPresencePenalty(-2)).next(LOGITS.clone(), new int[] {1}, 1))
                .isEqualTo(1);
        assertThat(options.greedy()).isFalse();
        assertThat(PLAIN.withTemperature(0).greedy()).isTrue();
    }

    @Test
    void equalSeedsGiveEqualDraws() {
        assertThat(sequence(PLAIN.withSeed(5))).isEqualTo(sequence(PLAIN.withSeed(5)));
        assertThat(sequence(PLAIN.withSeed(5))).isNotEqualTo(sequence(PLAIN.withSeed(6)));
    }

    @Property(tries = 300)
    void topKKeepsWhatAFullSortWouldKeep(
            @ForAll @Size(min = 1, max = 60) List<@IntRange(min = -5, max = 5) Integer> values,
            @ForAll @IntRange(min = 1, max = 70) int k) {
        float[] logits = new float[values.size()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = values.get(i);
        }
        Candidates candidates = new Candidates(logits.length);
        candidates.fill(logits);
        candidates.keepTop(k);
        int[] expected = IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]).thenComparing(i -> i))
                .limit(k)
                .mapToInt(i -> i)
                .toArray();
        assertThat(Arrays.copyOf(candidates.ids, candidates.count)).isEqualTo(expected);
    }

    @Test
    void optionsOutOfRangeAreNamed() {
        assertThatThrownBy(() -> PLAIN.withTemperature(-1))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("temperature is -1");
        assertThatThrownBy(() -> PLAIN.withTopP(0))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("top-p is 0");
        assertThatThrownBy(() -> PLAIN.withMinP(1))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("min-p is 1");
        assertThatThrownBy(() -> PLAIN.withFrequencyPenalty(Float.NaN))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("frequency-penalty is NaN");
        assertThatThrownBy(() -> PLAIN.withTemperature(Float.NaN)).isInstanceOf(ObrException.class);
    }

    private static int next(SamplerOptions options, float[] logits) {
        return new Sampler(options).next(logits.clone(), new int[0], 0);
    }

    private static Map<Integer, Integer> draw(SamplerOptions options, float[] logits, int times) {
        Sampler sampler = new Sampler(options);
        Map<Integer, Integer> counts = new HashMap<>();
        for (int i = 0; i < times; i++) {
            counts.merge(sampler.next(logits.clone(), new int[0], 0), 1, Integer::sum);
        }
        return counts;
    }

    private static List<Integer> sequence(SamplerOptions options) {
        Sampler sampler = new Sampler(options);
        SplittableRandom random = new SplittableRandom(1);
        float[] logits = new float[100];
        return IntStream.range(0, 50)
                .mapToObj(i -> {
                    for (int j = 0; j < logits.length; j++) {
                        logits[j] = (float) random.nextDouble();
                    }
                    return sampler.next(logits.clone(), new int[0], 0);
                })
                .toList();
    }

    private static double[] softmax(float[] logits, double temperature) {
        double[] p = IntStream.range(0, logits.length)
                .mapToDouble(i -> Math.exp(logits[i] / temperature))
                .toArray();
        double total = Arrays.stream(p).sum();
        return Arrays.stream(p).map(v -> v / total).toArray();
    }
}
