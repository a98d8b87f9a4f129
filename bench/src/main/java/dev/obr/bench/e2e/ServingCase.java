package dev.obr.bench.e2e;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One thing to measure.
 *
 * @param promptTokens that each request brings
 * @param generatedTokens that each gets
 * @param contextTokens computed before the clock starts, which all requests go on from
 * @param concurrency requests at a time: each client sends the next one when the last has ended
 */
public record ServingCase(int promptTokens, int generatedTokens, int contextTokens, int concurrency) {
    public ServingCase {
        if (promptTokens < 1 || generatedTokens < 1 || contextTokens < 0 || concurrency < 1) {
            throw new IllegalArgumentException("prompt %d, generated %d, context %d, concurrency %d"
                    .formatted(promptTokens, generatedTokens, contextTokens, concurrency));
        }
    }

    /** Tokens of a whole text. */
    public int length() {
        return contextTokens + promptTokens + generatedTokens;
    }

    /** Tokens that are kept at a time. */
    long kept() {
        return (long) length() * concurrency;
    }

    /** As a row's key. */
    Map<String, String> key() {
        Map<String, String> key = new LinkedHashMap<>();
        key.put("prompt", Integer.toString(promptTokens));
        key.put("generated", Integer.toString(generatedTokens));
        key.put("context", Integer.toString(contextTokens));
        key.put("concurrency", Integer.toString(concurrency));
        return key;
    }
}
