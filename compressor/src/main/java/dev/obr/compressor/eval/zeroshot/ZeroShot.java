package dev.obr.compressor.eval.zeroshot;

import dev.obr.compressor.eval.EvaluationProgress;
import dev.obr.compressor.eval.MeanAndError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Runs a model through the items of a task. */
public final class ZeroShot {
    private ZeroShot() {}

    /**
     * @param items at least one
     * @param scorer says how probable a request is: {@link LikelihoodScorer#score}
     */
    public static TaskResult run(
            Task task, List<TaskItem> items, Function<Request, Likelihood> scorer, EvaluationProgress progress) {
        double[] acc = new double[items.size()];
        double[] accNorm = new double[items.size()];
        double[] logProbability = new double[items.size()];
        for (int i = 0; i < items.size(); i++) {
            TaskItem item = items.get(i);
            List<Likelihood> likelihoods = new ArrayList<>();
            for (Request request : item.requests()) {
                likelihoods.add(scorer.apply(request));
            }
            Likelihood right = likelihoods.get(item.gold());
            acc[i] = (task.greedy() ? right.greedy() : best(likelihoods) == item.gold()) ? 1 : 0;
            accNorm[i] = best(perCharacter(likelihoods, item.requests())) == item.gold() ? 1 : 0;
            logProbability[i] = right.logProbability();
            double soFar = Arrays.stream(acc, 0, i + 1).sum() / (i + 1);
            progress.step(i + 1, items.size(), String.format(Locale.ROOT, "acc %.4f", soFar));
        }
        return new TaskResult(
                task,
                MeanAndError.of(acc),
                task.normalised() ? MeanAndError.of(accNorm) : null,
                task.greedy() ? Math.exp(-MeanAndError.of(logProbability).mean()) : null);
    }

    private static List<Likelihood> perCharacter(List<Likelihood> likelihoods, List<Request> requests) {
        List<Likelihood> divided = new ArrayList<>();
        for (int i = 0; i < likelihoods.size(); i++) {
            Likelihood whole = likelihoods.get(i);
            divided.add(new Likelihood(whole.logProbability() / requests.get(i).length(), whole.greedy()));
        }
        return divided;
    }

    /** The most probable one; the first of several. */
    private static int best(List<Likelihood> likelihoods) {
        int best = 0;
        for (int i = 1; i < likelihoods.size(); i++) {
            if (likelihoods.get(i).logProbability() > likelihoods.get(best).logProbability()) {
                best = i;
            }
        }
        return best;
    }
}
