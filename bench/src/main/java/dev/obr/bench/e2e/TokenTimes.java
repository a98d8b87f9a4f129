package dev.obr.bench.e2e;

import java.util.ArrayList;
import java.util.List;

/**
 * When the tokens of one request came.
 *
 * @param promptTokens of the request
 * @param sent clock in nanoseconds
 * @param arrivals of each new token by the same clock, ascending; one at least
 */
record TokenTimes(int promptTokens, long sent, List<Long> arrivals) {
    private static final double NANOS = 1e-6; // milliseconds

    TokenTimes {
        arrivals = List.copyOf(arrivals);
        if (arrivals.isEmpty()) {
            throw new IllegalArgumentException("a request without tokens has no times");
        }
    }

    int generatedTokens() {
        return arrivals.size();
    }

    /** From sending to the first token. */
    double firstMillis() {
        return (arrivals.getFirst() - sent) * NANOS;
    }

    /** From sending to the last token. */
    double allMillis() {
        return (arrivals.getLast() - sent) * NANOS;
    }

    /** Mean time of a token after the first; of two tokens at least. */
    double perTokenMillis() {
        return (arrivals.getLast() - arrivals.getFirst()) * NANOS / (arrivals.size() - 1);
    }

    /** Between each token and the one before it. */
    List<Double> gapsMillis() {
        List<Double> gaps = new ArrayList<>();
        for (int i = 1; i < arrivals.size(); i++) {
            gaps.add((arrivals.get(i) - arrivals.get(i - 1)) * NANOS);
        }
        return gaps;
    }
}
