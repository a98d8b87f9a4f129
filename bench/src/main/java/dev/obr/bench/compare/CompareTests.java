package dev.obr.bench.compare;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What each program is measured in: prompts of some lengths, and generation, by llama-bench's definitions.
 *
 * @param prompts lengths
 * @param generated tokens, computed one by one
 */
public record CompareTests(List<Integer> prompts, int generated) {
    /** The name of generation in all results, whatever its length: half floats generate fewer tokens. */
    public static final String GENERATION = "tg";

    private static final int FEW = 16;

    public CompareTests {
        prompts = List.copyOf(prompts);
    }

    /** For half floats, which are slow and there for the ratio: the first prompt, and few tokens. */
    public CompareTests shorter() {
        return new CompareTests(prompts.subList(0, 1), Math.min(generated, FEW));
    }

    /** How a prompt's test is called. */
    public static String prompt(int length) {
        return "pp" + length;
    }

    /** Tokens of context that the longest needs. */
    int contextLength() {
        return Math.max(generated, prompts.stream().mapToInt(n -> n).max().orElse(0));
    }

    /** {@code 128,512}. */
    String promptList() {
        return prompts.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
