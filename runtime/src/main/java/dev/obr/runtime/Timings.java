package dev.obr.runtime;

/**
 * How long the parts of a generation took.
 *
 * @param promptTokens tokens computed before the first new one; those that a session already held are not counted
 * @param promptMillis computing them
 * @param firstTokenMillis from the request to the first token
 * @param generatedTokens new tokens
 * @param generateMillis computing the new tokens after the first, which the prompt's last step yields
 */
public record Timings(
        int promptTokens, double promptMillis, double firstTokenMillis, int generatedTokens, double generateMillis) {
    /** Prompt tokens a second; 0 if there were none. */
    public double promptTokensPerSecond() {
        return promptMillis > 0 ? 1e3 * promptTokens / promptMillis : 0;
    }

    /** New tokens a second after the first; 0 if there was at most one. */
    public double generateTokensPerSecond() {
        return generateMillis > 0 && generatedTokens > 1 ? 1e3 * (generatedTokens - 1) / generateMillis : 0;
    }
}
