package dev.obr.langchain4j;

import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** LangChain4j's JSON schemas as documents. */
final class Schemas {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Schemas() {}

    /** The schema of answers, or null for any text. */
    static @Nullable JsonNode content(@Nullable ResponseFormat format) {
        if (format == null || format.type() != ResponseFormatType.JSON) {
            return null;
        }
        return format.jsonSchema() == null
                ? JsonNodeFactory.instance.objectNode().put("type", "object")
                : json(format.jsonSchema().rootElement());
    }

    static JsonNode json(JsonSchemaElement element) {
        JsonNode schema = MAPPER.valueToTree(JsonSchemaElementUtils.toMap(element));
        openMaps(schema);
        return schema;
    }

    /** A map's schema names no properties, which would make an object without any of one that may have all. */
    private static void openMaps(JsonNode schema) {
        if (schema instanceof ObjectNode object
                && object.path("properties").isObject()
                && object.path("properties").isEmpty()) {
            object.remove("properties");
        }
        schema.forEach(Schemas::openMaps);
    }
}
