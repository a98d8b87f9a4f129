package dev.obr.server;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** JSON objects as answers hold them: fields in the order they are given. */
final class Json {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    /** {@code object("a", 1, "b", null)} is {@code {"a":1,"b":null}}. */
    static Map<String, @Nullable Object> object(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            object.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return object;
    }

    /** UTF-8 text of maps, lists, numbers, texts and trees, on one line. */
    static byte[] bytes(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    static String text(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /** A number that JSON can write: -9999 for a probability of nothing, as OpenAI does. */
    static double logprob(double value) {
        return Math.max(-9999, value);
    }
}
