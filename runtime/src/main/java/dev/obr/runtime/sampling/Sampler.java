package dev.obr.runtime.sampling;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Chooses the next token: penalties, top-k, top-p, min-p, temperature, draw, in this order (llama.cpp's).
 *
 * <p>Keeps the state of its random numbers and of its scratch space: one sampler per generation, one thread at a time.
 */
public final class Sampler {
    private final SamplerOptions options;
    private final int newFrom;
    private final SplittableRandom random;
    private Candidates candidates = new Candidates(0);
    private double[] weights = new double[0];

    /** For a text without a prompt. */
    public Sampler(SamplerOptions options) {
        this(options, 0);
    }

    /** @param promptLength of the tokens so far, how many are not of the new text */
    public Sampler(SamplerOptions options, int promptLength) {
        this.options = options;
        this.newFrom = promptLength;
        this.random = new SplittableRandom(options.seed());
    }

    /**
     * The next token.
     *
     * @param logits one per token id; changed by penalties
     * @param context the tokens so far, oldest first
     * @param length how many of {@code context} count
     */
    public int next(float[] logits, int[] context, int length) {
        return next(logits, draw(context, length));
    }

    /** What decides about the next token: one random number, if any is needed. */
    public Draw draw(int[] context, int length) {
        return new Draw(options, context, newFrom, length, options.temperature() == 0 ? 0 : random.nextDouble());
    }

    /**
     * The token that a draw of this sampler chooses.
     *
     * @param logits one per token id; changed by penalties
     */
    public int next(float[] logits, Draw draw) {
        penalise(logits, draw);
        return chosen(logits, draw.uniform());
    }

    /** As {@link #next}, from logits that it has penalised already: another choice after the first was refused. */
    public int again(float[] logits) {
        return chosen(logits, options.temperature() == 0 ? 0 : random.nextDouble());
    }

    private int chosen(float[] logits, double uniform) {
        if (options.temperature() == 0) {
            return likeliest(logits);
        }
        if (candidates.ids.length < logits.length) {
            candidates = new Candidates(logits.length);
            weights = new double[logits.length];
        }
        candidates.fill(logits);
        if (options.topK() > 0) {
            candidates.keepTop(options.topK());
        }
        keepTopP();
        keepMinP();
        return draw(uniform);
    }

    private static void penalise(float[] logits, Draw draw) {
        float penalty = draw.options().repeatPenalty();
        // A token is penalised once, however often it occurred.
        for (int id : distinct(draw, draw.penalisedFrom())) {
            logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
        }
        if (draw.options().countsNewTokens()) {
            for (int i = draw.newFrom(); i < draw.length(); i++) {
                logits[draw.context()[i]] -= draw.options().frequencyPenalty();
            }
            for (int id : distinct(draw, draw.newFrom())) {
                logits[id] -= draw.options().presencePenalty();
            }
        }
    }

    private static int[] distinct(Draw draw, int from) {
        return Arrays.stream(draw.context(), from, draw.length()).distinct().toArray();
    }

    private static int likeliest(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    private void keepTopP() {
        if (options.topP() >= 1) {
            return;
        }
        candidates.sort();
        double total = exponentiate(1);
        double kept = 0;
        int count = 0;
        while (count < candidates.count && kept < options.topP() * total) {
            kept += weights[count++];
        }
        candidates.count = count;
    }

    private void keepMinP() {
        if (options.minP() == 0) {
            return;
        }
        candidates.sort();
        double threshold = candidates.logits[0] + Math.log(options.minP());
        int count = 1;
        while (count < candidates.count && candidates.logits[count] >= threshold) {
            count++;
        }
        candidates.count = count;
    }

    private int draw(double uniform) {
        double left = uniform * exponentiate(options.temperature());
        int drawn = 0; // rounding may leave some of the total behind the last; a logit of -infinity is never drawn
        for (int i = 0; i < candidates.count && left >= 0; i++) {
            left -= weights[i];
            drawn = weights[i] > 0 ? i : drawn;
        }
        return candidates.ids[drawn];
    }

    /** weights_i = exp((logit_i - max) / temperature); returns their sum. */
    private double exponentiate(float temperature) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < candidates.count; i++) {
            max = Math.max(max, candidates.logits[i]);
        }
        double total = 0;
        for (int i = 0; i < candidates.count; i++) {
            weights[i] = Math.exp((candidates.logits[i] - max) / (double) temperature);
            total += weights[i];
        }
        return total;
    }
}
