package dev.obr.cli;

import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Results as JSON. */
final class JsonOutput {
    private JsonOutput() {}

    /** {@code value} (maps, lists, records, numbers, texts) on one line. */
    static String line(Object value) {
        return JsonMapper.builder().build().writeValueAsString(value);
    }

    /** {@code value} on lines of its own, for people too. */
    static String pretty(Object value) {
        return JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(value);
    }
}
