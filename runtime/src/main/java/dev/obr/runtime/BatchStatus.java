package dev.obr.runtime;

/**
 * What a {@link BatchScheduler} does and did.
 *
 * @param running sequences being computed
 * @param waiting requests that wait
 * @param cacheBytes memory of keys and values in use, finished texts that may be gone on from included
 * @param cacheLimit its limit
 * @param steps steps computed
 * @param promptTokens prompt tokens computed, those computed again after a preemption included
 * @param sharedTokens prompt tokens that were taken over from other sequences
 * @param generatedTokens new tokens
 * @param promptMillis time of steps that computed prompts, by their share of the tokens
 * @param generateMillis time of steps that computed new tokens, likewise
 * @param preemptions sequences that had to make room and be computed again
 */
public record BatchStatus(
        int running,
        int waiting,
        long cacheBytes,
        long cacheLimit,
        long steps,
        long promptTokens,
        long sharedTokens,
        long generatedTokens,
        double promptMillis,
        double generateMillis,
        long preemptions) {
    BatchStatus withWaiting(int waiting) {
        return new BatchStatus(
                running,
                waiting,
                cacheBytes,
                cacheLimit,
                steps,
                promptTokens,
                sharedTokens,
                generatedTokens,
                promptMillis,
                generateMillis,
                preemptions);
    }
}
