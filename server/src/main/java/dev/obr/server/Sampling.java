package dev.obr.server;

import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.sampling.SamplerOptions;
import java.security.SecureRandom;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** The fields of a request that say how its texts go on. */
final class Sampling {
    private static final int MOST_STOPS = 64;
    private static final int MOST_TEXTS = 128;

    private Sampling() {}

    /**
     * What a request asks for.
     *
     * @param maxTokens 1 or more, or -1 for no limit
     */
    static GenerationOptions options(Fields body, int maxTokens) {
        refuse(body);
        SamplerOptions defaults = SamplerOptions.defaults();
        int topK = body.integer("top_k", defaults.topK(), -1, Integer.MAX_VALUE);
        SamplerOptions sampling = new SamplerOptions(
                body.number("temperature", defaults.temperature(), 0, 1e6),
                Math.max(0, topK),
                body.number("top_p", defaults.topP(), 1e-6, 1),
                body.number("min_p", defaults.minP(), 0, 0.999999),
                body.number("repeat_penalty", defaults.repeatPenalty(), 1e-3, 1e3),
                body.integer("repeat_last_n", defaults.repeatLastN(), -1, Integer.MAX_VALUE),
                body.number("presence_penalty", 0, -2, 2),
                body.number("frequency_penalty", 0, -2, 2),
                seed(body));
        return GenerationOptions.defaults()
                .withMaxTokens(maxTokens)
                .withSampling(sampling)
                .withStop(stop(body));
    }

    /** What would change the text and is not implemented is refused rather than ignored. */
    private static void refuse(Fields body) {
        JsonNode bias = body.get("logit_bias");
        if (bias != null && !bias.isEmpty()) {
            throw ApiException.wrong(
                    "logit_bias", "logit_bias is not supported: leave it out.", "unsupported_parameter");
        }
        JsonNode suffix = body.get("suffix");
        if (suffix != null && !(suffix.isString() && suffix.stringValue().isEmpty())) {
            throw ApiException.wrong("suffix", "suffix is not supported: leave it out.", "unsupported_parameter");
        }
        if (body.integer("best_of", 1, 1, MOST_TEXTS) > texts(body)) {
            throw ApiException.wrong(
                    "best_of", "best_of above n is not supported: leave it out.", "unsupported_parameter");
        }
    }

    private static long seed(Fields body) {
        long seed = body.integer("seed", -1L, Long.MIN_VALUE, Long.MAX_VALUE);
        return seed == -1 ? new SecureRandom().nextInt(Integer.MAX_VALUE) : seed;
    }

    private static List<String> stop(Fields body) {
        List<String> stop = body.texts("stop");
        if (stop.size() > MOST_STOPS || stop.contains("")) {
            throw body.unusable("stop", "a string or up to " + MOST_STOPS + " of them, none empty");
        }
        return stop;
    }

    /** How many texts for each prompt. */
    static int texts(Fields body) {
        return body.integer("n", 1, 1, MOST_TEXTS);
    }

    /** Fails if a request asks for more texts than may be computed for one. */
    static void checkTexts(String parameter, long texts) {
        if (texts > MOST_TEXTS) {
            throw ApiException.wrong(
                    parameter,
                    "The request asks for " + texts + " texts, but at most " + MOST_TEXTS
                            + " may be asked for at once.");
        }
    }
}
