package dev.obr.runtime.sampling;

import java.util.SplittableRandom;

/**
 * Chooses the next token: penalties, top-k, top-p, min-p, temperature, draw, in this order (llama.cpp's).
 *
 * <p>Keeps the state of its random numbers and of its scratch space: one sampler per generation, one thread at a time.
 */
public final class Sampler {
    private final SamplerOptions options;
    private final SplittableRandom random;
    private Candidates candidates = new Candidates(0);
    private double[] weights = new double[0];

    public Sampler(SamplerOptions options) {
        this.options = options;
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
        penalise(logits, context, length);
        return again(logits);
    }

    /** As {@link #next}, from logits that it has penalised already: another choice after the first was refused. */
    public int again(float[] logits) {
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
        return draw();
    }

    private void penalise(float[] logits, int[] context, int length) {
        float penalty = options.repeatPenalty();
        int window = options.repeatLastN() < 0 ? length : Math.min(length, options.repeatLastN());
        if (penalty == 1 || window == 0) {
            return;
        }
        // A token is penalised once, however often it occurred.
        for (int id : java.util.Arrays.stream(context, length - window, length)
                .distinct()
                .toArray()) {
            logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
        }
    }

    /** The id of the largest logit, the first of equals. */
    public static int likeliest(float[] logits) {
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

    private int draw() {
        double left = random.nextDouble() * exponentiate(options.temperature());
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
