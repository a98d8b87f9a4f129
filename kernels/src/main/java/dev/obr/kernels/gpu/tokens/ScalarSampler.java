package dev.obr.kernels.gpu.tokens;

import dev.obr.kernels.gpu.Exponential;

/**
 * What the kernels {@code penalise} and {@code sample} compute for one row, bit by bit: the runtime's sampler over the largest logits, in its order of steps and of sums, with an exponential that
 * is the same everywhere.
 */
public final class ScalarSampler {
    /** The token of a draw that the candidates do not suffice for. */
    public static final int MORE = -1;

    private static final double DOUBT = 0x1p-16; // of a total in floats

    private final Choice choice;
    private final float[] values;
    private final int vocabulary;
    private final double[] weights;

    private ScalarSampler(Choice choice, float[] values, int vocabulary) {
        this.choice = choice;
        this.values = values;
        this.vocabulary = vocabulary;
        this.weights = new double[values.length];
    }

    /**
     * The next token.
     *
     * @param values the largest logits, largest first
     * @param tokens of these
     * @param total sum of e^(logit - largest) over the vocabulary
     * @return one of {@code tokens}, or {@link #MORE}
     */
    public static int sample(Choice choice, float[] values, int[] tokens, float total, int vocabulary) {
        if (choice.temperature() == 0) {
            return tokens[0];
        }
        ScalarSampler sampler = new ScalarSampler(choice, values, vocabulary);
        int kept = sampler.keep(total);
        return kept == 0 ? MORE : tokens[sampler.draw(kept)];
    }

    /** Penalises each token of the last {@code repeatLastN} of the context once. */
    public static void penalise(Choice choice, float[] logits, int[] context, int length) {
        boolean[] seen = new boolean[logits.length];
        int window = choice.repeatLastN() < 0 ? length : Math.min(length, choice.repeatLastN());
        for (int i = length - window; i < length; i++) {
            int token = context[i];
            if (token >= 0 && token < logits.length && !seen[token]) {
                seen[token] = true;
                float logit = logits[token];
                logits[token] = logit > 0 ? logit / choice.repeatPenalty() : logit * choice.repeatPenalty();
            }
        }
    }

    /** How many candidates top-k, top-p and min-p keep; 0 where more may be wanted than there are. */
    private int keep(float total) {
        int k = values.length;
        int topK = choice.topK();
        boolean topP = choice.topP() < 1;
        boolean minP = choice.minP() > 0;
        boolean all = topK != 0 && topK <= k || k == vocabulary;
        int n = topK == 0 ? k : Math.min(topK, k);
        int count = n;
        if (topK == 0 && !topP && !minP) {
            return 0; // drawn in the order of tokens
        }
        if (topP) {
            exponentiate(n, 1);
            if (all) {
                count = Math.min(reached(n, choice.topP() * sum(n)), n);
            } else {
                double share = (double) choice.topP() * total;
                count = reached(n, share - share * DOUBT);
                if (topK != 0 || count > n || count != reached(n, share + share * DOUBT)) {
                    return 0;
                }
                all = true;
            }
        }
        if (minP) {
            double threshold = values[0] + choice.least();
            int likely = 1;
            while (likely < count && values[likely] >= threshold) {
                likely++;
            }
            all |= likely < count;
            count = likely;
        }
        return all ? count : 0;
    }

    /** How many of n weights reach {@code share}; n + 1 where all do not. */
    private int reached(int n, double share) {
        double kept = 0;
        int count = 0;
        while (count < n && kept < share) {
            kept += weights[count++];
        }
        return kept < share ? n + 1 : count;
    }

    private int draw(int n) {
        exponentiate(n, choice.temperature());
        double left = choice.uniform() * sum(n);
        for (int i = 0; i < n; i++) {
            left -= weights[i];
            if (left < 0) {
                return i;
            }
        }
        return n - 1;
    }

    private void exponentiate(int n, float temperature) {
        for (int i = 0; i < n; i++) {
            weights[i] = Exponential.of((values[i] - values[0]) / (double) temperature);
        }
    }

    private double sum(int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += weights[i];
        }
        return sum;
    }
}
