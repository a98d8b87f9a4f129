package dev.obr.compressor.eval.zeroshot;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.eval.EvaluationProgress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Scores of made-up likelihoods. */
class ZeroShotTest {
    private static TaskItem item(int gold, String... choices) {
        return new TaskItem(
                List.of(choices).stream()
                        .map(choice -> Request.choice("q", choice))
                        .toList(),
                gold);
    }

    private static TaskResult run(Task task, List<TaskItem> items, Map<String, Likelihood> likelihoods) {
        return ZeroShot.run(
                task,
                items,
                request -> requireNonNull(likelihoods.get(request.continuation().strip())),
                EvaluationProgress.SILENT);
    }

    @Test
    void lengthsDecideAccNorm() {
        Map<String, Likelihood> likelihoods =
                Map.of("long one", new Likelihood(-4, false), "two", new Likelihood(-3, false));
        // -3 > -4, but per character -4/8 > -3/3
        TaskResult found = run(Task.PIQA, List.of(item(0, "long one", "two"), item(0, "two", "long one")), likelihoods);
        assertThat(found.acc().mean()).isEqualTo(0.5);
        assertThat(found.acc().error()).isCloseTo(0.5, within(1e-12)); // sqrt(0.5 / 2)
        assertThat(requireNonNull(found.accNorm()).mean()).isEqualTo(0.5);
        assertThat(found.headline()).isEqualTo(found.accNorm());
        assertThat(found.perplexity()).isNull();
        TaskResult one = run(Task.PIQA, List.of(item(0, "long one", "two")), likelihoods);
        assertThat(one.acc().mean()).isZero();
        assertThat(requireNonNull(one.accNorm()).mean()).isEqualTo(1);
    }

    @Test
    void theFirstOfEqualChoicesWins() {
        Map<String, Likelihood> likelihoods = Map.of("no", new Likelihood(-1, false), "yes", new Likelihood(-1, false));
        TaskResult found = run(Task.BOOLQ, List.of(item(1, "no", "yes"), item(1, "yes", "no")), likelihoods);
        assertThat(found.acc().mean()).isZero();
        assertThat(found.accNorm()).isNull();
        assertThat(found.headline()).isEqualTo(found.acc());
    }

    @Test
    void lambadaCountsWordsThatTheModelWouldHaveSaid() {
        Map<String, Likelihood> likelihoods =
                Map.of("sea", new Likelihood(Math.log(0.5), true), "sky", new Likelihood(Math.log(0.125), false));
        TaskResult found = run(Task.LAMBADA_OPENAI, List.of(item(0, "sea"), item(0, "sky")), likelihoods);
        assertThat(found.acc().mean()).isEqualTo(0.5);
        assertThat(requireNonNull(found.perplexity())).isCloseTo(4, within(1e-12));
    }
}
