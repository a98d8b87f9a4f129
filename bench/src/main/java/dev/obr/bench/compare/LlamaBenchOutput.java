package dev.obr.bench.compare;

import dev.obr.bench.compare.Contender.Rates;
import dev.obr.kernels.ObrException;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what {@code llama-bench -o json} writes: an array with an object for each test. */
final class LlamaBenchOutput {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private LlamaBenchOutput() {}

    /**
     * The speeds of all tests.
     *
     * @throws ObrException if {@code text} is anything else
     */
    static Rates parse(String text) {
        JsonNode rows = array(text);
        Map<String, Double> rates = new LinkedHashMap<>();
        for (JsonNode row : rows) {
            int prompt = tokens(row, "n_prompt");
            int generated = tokens(row, "n_gen");
            if ((prompt == 0) == (generated == 0)) {
                throw unreadable("a test of " + prompt + " prompt and " + generated + " new tokens");
            }
            rates.put(
                    prompt > 0 ? CompareTests.prompt(prompt) : CompareTests.GENERATION,
                    rate(row.path("avg_ts"), "avg_ts"));
        }
        JsonNode first = rows.get(0);
        return new Rates(
                "llama.cpp build %s, %s, cache %s"
                        .formatted(word(first, "build_number"), word(first, "build_commit"), word(first, "type_k")),
                rates);
    }

    private static JsonNode array(String text) {
        JsonNode rows;
        try {
            rows = JSON.readTree(text);
        } catch (JacksonException e) {
            throw unreadable("no JSON: "
                    + String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse(""));
        }
        if (rows == null || !rows.isArray() || rows.isEmpty()) {
            throw unreadable("no array of tests");
        }
        return rows;
    }

    private static int tokens(JsonNode row, String field) {
        JsonNode value = row.path(field);
        if (!value.isInt() || value.intValue() < 0) {
            throw unreadable("a test without the number " + field);
        }
        return value.intValue();
    }

    /** A speed, above 0 and finite. */
    static double rate(JsonNode value, String field) {
        double rate = value.isNumber() ? value.doubleValue() : 0;
        if (!(rate > 0) || Double.isInfinite(rate)) {
            throw unreadable("no speed in " + field);
        }
        return rate;
    }

    private static String word(JsonNode row, String field) {
        JsonNode value = row.path(field);
        return value.isString() || value.isNumber() ? value.asString() : "unknown";
    }

    private static ObrException unreadable(String what) {
        return new ObrException("what llama-bench wrote is not read here (" + what
                + "): give a build that knows -o json, of 2024 or later");
    }
}
