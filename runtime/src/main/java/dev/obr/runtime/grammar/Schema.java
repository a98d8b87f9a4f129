package dev.obr.runtime.grammar;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One schema inside a schema document, whose getters name the keyword and the place when a value can't be used.
 *
 * @param node true, false or an object
 * @param path where it stands, as a reference writes it: {@code #/properties/name}
 */
record Schema(JsonNode node, String path) {
    Schema {
        if (!node.isObject() && !node.isBoolean()) {
            throw new ObrException("The JSON schema has " + Excerpt.of(node.toString()) + " at " + Excerpt.of(path)
                    + ", where a schema is expected: an object, true or false.");
        }
    }

    boolean has(String keyword) {
        return node.has(keyword);
    }

    /** The schema in {@code keyword}, or null where there is none. */
    @Nullable
    Schema find(String keyword) {
        JsonNode value = node.get(keyword);
        return value == null ? null : new Schema(value, path + "/" + keyword);
    }

    /** The schemas listed in {@code keyword}; none where it is absent. */
    List<Schema> list(String keyword) {
        List<Schema> schemas = new ArrayList<>();
        JsonNode values = node.get(keyword);
        if (values != null) {
            check(values.isArray() && !values.isEmpty(), keyword, "a list of schemas");
            for (JsonNode value : values) {
                schemas.add(new Schema(value, path + "/" + keyword + "/" + schemas.size()));
            }
        }
        return schemas;
    }

    /** The schemas in {@code keyword} by name, in their order; none where it is absent. */
    Map<String, Schema> named(String keyword) {
        Map<String, Schema> schemas = new LinkedHashMap<>();
        JsonNode values = node.get(keyword);
        if (values != null) {
            check(values.isObject(), keyword, "an object of schemas");
            values.properties()
                    .forEach(entry -> schemas.put(
                            entry.getKey(), new Schema(entry.getValue(), path + "/" + keyword + "/" + entry.getKey())));
        }
        return schemas;
    }

    /** The texts listed in {@code keyword}; none where it is absent. */
    List<String> texts(String keyword) {
        List<String> texts = new ArrayList<>();
        JsonNode values = node.get(keyword);
        if (values != null) {
            check(values.isArray(), keyword, "a list of strings");
            for (JsonNode value : values) {
                check(value.isString(), keyword, "a list of strings");
                texts.add(value.stringValue());
            }
        }
        return texts;
    }

    /** A count in {@code keyword}, or {@code otherwise} where it is absent. */
    int count(String keyword, int otherwise) {
        BigDecimal number = number(keyword);
        if (number == null) {
            return otherwise;
        }
        check(
                number.signum() >= 0 && number.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) < 0 && isWhole(number),
                keyword,
                "a whole number from 0 to " + (Integer.MAX_VALUE - 1));
        return number.intValueExact();
    }

    /** The number in {@code keyword}, or null where it is absent. */
    @Nullable
    BigDecimal number(String keyword) {
        JsonNode value = node.get(keyword);
        if (value == null) {
            return null;
        }
        check(value.isNumber() && (value.isIntegralNumber() || isFinite(value)), keyword, "a number");
        return value.decimalValue();
    }

    /** The types that {@code type} names, or null where it is absent. */
    @Nullable
    Set<JsonType> types() {
        JsonNode value = node.get("type");
        if (value == null) {
            return null;
        }
        Set<JsonType> types = EnumSet.noneOf(JsonType.class);
        for (JsonNode word : value.isArray() ? value : List.of(value)) {
            JsonType type = word.isString() ? JsonType.of(word.stringValue()) : null;
            if (type == null) {
                throw unusable("type", "one or a list of " + JsonType.words());
            }
            types.add(type);
        }
        return types;
    }

    /** The error for a keyword that has a meaning which is not implemented. */
    ObrException unsupported(String keyword, String remedy) {
        return new ObrException("The JSON schema's keyword " + Excerpt.of(keyword) + " at " + Excerpt.of(path)
                + " is not supported: " + remedy + ".");
    }

    /** The error for a value that a keyword cannot have. */
    ObrException unusable(String keyword, String expected) {
        return new ObrException("The JSON schema's keyword " + keyword + " at " + Excerpt.of(path) + " is "
                + Excerpt.of(String.valueOf(node.get(keyword))) + ", but must be " + expected + ".");
    }

    static boolean isWhole(BigDecimal number) {
        return number.stripTrailingZeros().scale() <= 0;
    }

    private static boolean isFinite(JsonNode number) {
        return number.isBigDecimal() || Double.isFinite(number.doubleValue());
    }

    private void check(boolean holds, String keyword, String expected) {
        if (!holds) {
            throw unusable(keyword, expected);
        }
    }
}
