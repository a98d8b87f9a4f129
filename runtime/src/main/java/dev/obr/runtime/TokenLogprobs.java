package dev.obr.runtime;

import java.util.ArrayList;
import java.util.List;

/**
 * How likely the model held a token, before penalties, temperature and the rest of sampling.
 *
 * @param id the token
 * @param logprob natural logarithm of its probability
 * @param top the likeliest tokens, likeliest first
 */
public record TokenLogprobs(int id, double logprob, List<Candidate> top) {
    /** A token that might have come. */
    public record Candidate(int id, double logprob) {}

    public TokenLogprobs {
        top = List.copyOf(top);
    }

    /**
     * @param logits one per token id
     * @param count how many of the likeliest to keep
     */
    static TokenLogprobs of(float[] logits, int id, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double total = 0;
        for (float logit : logits) {
            total += Math.exp(logit - largest);
        }
        double shift = largest + Math.log(total);
        return new TokenLogprobs(id, logits[id] - shift, top(logits, count, shift));
    }

    private static List<Candidate> top(float[] logits, int count, double shift) {
        List<Candidate> top = new ArrayList<>(count + 1);
        for (int id = 0; id < logits.length && count > 0; id++) {
            double logprob = logits[id] - shift;
            if (top.size() == count && top.getLast().logprob >= logprob) {
                continue;
            }
            int at = top.size();
            while (at > 0 && top.get(at - 1).logprob < logprob) {
                at--;
            }
            top.add(at, new Candidate(id, logprob));
            if (top.size() > count) {
                top.removeLast();
            }
        }
        return top;
    }
}
