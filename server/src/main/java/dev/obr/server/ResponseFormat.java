package dev.obr.server;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.grammar.Grammar;
import dev.obr.runtime.grammar.JsonSchema;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code response_format}: what an answer must be. */
final class ResponseFormat {
    private ResponseFormat() {}

    /** The grammar of answers, or null for any text. */
    static @Nullable Grammar grammar(Fields body) {
        Fields format = body.child("response_format");
        if (format == null) {
            return null;
        }
        String type = format.requiredText("type");
        JsonNode schema;
        switch (type) {
            case "text" -> {
                return null;
            }
            case "json_object" -> schema = format.get("schema"); // llama.cpp's addition
            case "json_schema" -> {
                Fields outer = format.child("json_schema");
                schema = outer == null ? null : outer.get("schema");
                if (schema == null) {
                    throw format.unusable("json_schema", "an object with a schema");
                }
            }
            default -> throw format.unusable("type", "text, json_object or json_schema");
        }
        return schema == null ? JsonSchema.anyObject() : grammar("response_format", schema);
    }

    /** The grammar of a schema that a parameter holds. */
    static Grammar grammar(String parameter, JsonNode schema) {
        try {
            return JsonSchema.grammar(schema);
        } catch (ObrException e) {
            throw ApiException.wrong(parameter, String.valueOf(e.getMessage()));
        }
    }
}
