package dev.obr.server;

import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.Timings;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the texts of a request took: OpenAI's {@code usage} and llama.cpp's {@code timings}. */
final class Usage {
    private Usage() {}

    /**
     * Counts tokens.
     *
     * @param results those of one prompt next to each other
     * @param each how many texts each prompt has
     */
    static Map<String, @Nullable Object> usage(List<GenerationResult> results, int each) {
        int prompt = 0;
        int shared = 0;
        int generated = 0;
        for (int i = 0; i < results.size(); i++) {
            GenerationResult result = results.get(i);
            generated += result.timings().generatedTokens();
            if (i % each == 0) {
                int tokens = result.promptTokenIds().size();
                prompt += tokens;
                shared += Math.max(0, tokens - result.timings().promptTokens());
            }
        }
        return Json.object(
                "prompt_tokens",
                prompt,
                "completion_tokens",
                generated,
                "total_tokens",
                prompt + generated,
                "prompt_tokens_details",
                Json.object("cached_tokens", shared));
    }

    /** The times of one text. */
    static Map<String, @Nullable Object> timings(GenerationResult result) {
        Timings timings = result.timings();
        int prompt = timings.promptTokens();
        int generated = timings.generatedTokens();
        return Json.object(
                "cache_n",
                Math.max(0, result.promptTokenIds().size() - prompt),
                "prompt_n",
                prompt,
                "prompt_ms",
                rounded(timings.promptMillis()),
                "prompt_per_token_ms",
                rounded(prompt == 0 ? 0 : timings.promptMillis() / prompt),
                "prompt_per_second",
                rounded(timings.promptTokensPerSecond()),
                "predicted_n",
                generated,
                "predicted_ms",
                rounded(timings.generateMillis()),
                "predicted_per_token_ms",
                rounded(generated < 2 ? 0 : timings.generateMillis() / (generated - 1)),
                "predicted_per_second",
                rounded(timings.generateTokensPerSecond()));
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
