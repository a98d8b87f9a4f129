package dev.obr.runtime.grammar;

import java.math.BigDecimal;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** Whether a value is valid by a schema, straight from the words of JSON Schema: the truth that grammars are compared with. */
final class PlainValidator {
    private final JsonNode document;

    PlainValidator(JsonNode document) {
        this.document = document;
    }

    boolean isValid(JsonNode value) {
        return isValid(document, value);
    }

    private boolean isValid(JsonNode schema, JsonNode value) {
        if (schema.isBoolean()) {
            return schema.booleanValue();
        }
        for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
            if (!holds(schema, keyword.getKey(), keyword.getValue(), value)) {
                return false;
            }
        }
        return true;
    }

    private boolean holds(JsonNode schema, String keyword, JsonNode says, JsonNode value) {
        return switch (keyword) {
            case "type" -> says.isArray() ? any(says, type -> isType(type, value)) : isType(says, value);
            case "enum" -> any(says, one -> equal(one, value));
            case "const" -> equal(says, value);
            case "anyOf", "oneOf" -> any(says, one -> isValid(one, value)); // oneOf as anyOf: said in JsonSchema
            case "allOf" -> !any(says, one -> !isValid(one, value));
            case "$ref" ->
                isValid(
                        says.stringValue().equals("#")
                                ? document
                                : document.at(says.stringValue().substring(1)),
                        value);
            case "minLength" -> !value.isString() || length(value) >= says.intValue();
            case "maxLength" -> !value.isString() || length(value) <= says.intValue();
            case "minimum" -> !value.isNumber() || compare(value, says) >= 0;
            case "maximum" -> !value.isNumber() || compare(value, says) <= 0;
            case "exclusiveMinimum" -> !value.isNumber() || compare(value, says) > 0;
            case "exclusiveMaximum" -> !value.isNumber() || compare(value, says) < 0;
            case "minItems" -> !value.isArray() || value.size() >= says.intValue();
            case "maxItems" -> !value.isArray() || value.size() <= says.intValue();
            case "items" -> !value.isArray() || itemsHold(schema, says, value);
            case "prefixItems" -> !value.isArray() || prefixHolds(says, value);
            case "required" -> !value.isObject() || !any(says, name -> !value.has(name.stringValue()));
            case "properties", "additionalProperties" -> !value.isObject() || membersHold(schema, value);
            default -> true;
        };
    }

    private boolean itemsHold(JsonNode schema, JsonNode items, JsonNode value) {
        for (int i = schema.path("prefixItems").size(); i < value.size(); i++) {
            if (!isValid(items, value.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean prefixHolds(JsonNode places, JsonNode value) {
        for (int i = 0; i < Math.min(places.size(), value.size()); i++) {
            if (!isValid(places.get(i), value.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean membersHold(JsonNode schema, JsonNode value) {
        for (Map.Entry<String, JsonNode> member : value.properties()) {
            JsonNode own = schema.path("properties").get(member.getKey());
            JsonNode by = own == null ? schema.get("additionalProperties") : own;
            if (by != null && !isValid(by, member.getValue())) {
                return false;
            }
        }
        return true;
    }

    private static boolean isType(JsonNode type, JsonNode value) {
        return switch (type.stringValue()) {
            case "null" -> value.isNull();
            case "boolean" -> value.isBoolean();
            case "number" -> value.isNumber();
            case "integer" ->
                value.isNumber()
                        && value.decimalValue().remainder(BigDecimal.ONE).signum() == 0;
            case "string" -> value.isString();
            case "array" -> value.isArray();
            default -> value.isObject();
        };
    }

    private static boolean equal(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber() ? compare(a, b) == 0 : a.equals(b);
    }

    private static int compare(JsonNode a, JsonNode b) {
        return a.decimalValue().compareTo(b.decimalValue());
    }

    private static int length(JsonNode text) {
        return text.stringValue().codePointCount(0, text.stringValue().length());
    }

    private static boolean any(JsonNode list, java.util.function.Predicate<JsonNode> holds) {
        for (JsonNode one : list) {
            if (holds.test(one)) {
                return true;
            }
        }
        return false;
    }
}
