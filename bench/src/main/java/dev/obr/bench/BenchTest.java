package dev.obr.bench;

/**
 * One thing to measure, by llama-bench's names.
 *
 * @param promptTokens tokens computed at once; 0 for a test of generation
 * @param generatedTokens tokens computed one by one; 0 for a test of prompts
 * @param depth tokens already in the context
 */
public record BenchTest(int promptTokens, int generatedTokens, int depth) {
    /** {@code pp512}, {@code tg128}, {@code pp512 @ d1024}. */
    public String name() {
        String name = promptTokens > 0 ? "pp" + promptTokens : "tg" + generatedTokens;
        return depth > 0 ? name + " @ d" + depth : name;
    }

    /** Tokens that are timed. */
    public int tokens() {
        return promptTokens + generatedTokens;
    }

    /** Tokens of context that the test needs. */
    public int contextLength() {
        return depth + tokens();
    }
}
