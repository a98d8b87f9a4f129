package dev.obr.runtime.grammar;

import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Schemas of all supported keywords at random, and for each a value that it allows, in the order of its properties. */
final class RandomSchema {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> NAMES = List.of("a", "ab", "abc", "b", "ö", "x\"y", "", "name", "名");
    private static final String CHARACTERS = "ab \"\\/\n\t\u0001é名🙂{}[],:0";

    private final Random random;

    RandomSchema(Random random) {
        this.random = random;
    }

    /** @param depth how many schemas may be inside each other */
    JsonNode schema(int depth) {
        int kind = random.nextInt(depth > 0 ? 12 : 6);
        ObjectNode schema = NODES.objectNode();
        return switch (kind) {
            case 0 -> bounded(schema.put("type", "integer"));
            case 1 -> bounded(schema.put("type", "number"));
            case 2 -> counted(schema.put("type", "string"), "minLength", "maxLength");
            case 3 -> {
                schema.putArray("type").add("null").add("boolean").add("string");
                yield counted(schema, "minLength", "maxLength");
            }
            case 4 -> {
                ArrayNode values = schema.putArray("enum");
                for (int n = random.nextInt(3); n >= 0; n--) {
                    values.add(anything(1));
                }
                yield schema;
            }
            case 5 -> random.nextInt(3) > 0 ? schema.set("const", anything(2)) : NODES.booleanNode(true);
            case 6, 7 -> array(schema, depth);
            case 8, 9, 10 -> object(schema, depth);
            default -> {
                ArrayNode choices = schema.putArray(random.nextBoolean() ? "anyOf" : "oneOf");
                for (int n = random.nextInt(3); n >= 0; n--) {
                    choices.add(schema(depth - 1));
                }
                yield schema.put("description", "one of them");
            }
        };
    }

    private ObjectNode bounded(ObjectNode schema) {
        if (random.nextInt(3) > 0) {
            long min = random.nextInt(5) == 0 ? random.nextLong() >> random.nextInt(60) : random.nextInt(400) - 200;
            long max = min + 1 + (random.nextBoolean() ? random.nextInt(10) : random.nextInt(1 << random.nextInt(30)));
            min = Math.clamp(min, -900_000_000_000_000_000L, 900_000_000_000_000_000L);
            max = Math.clamp(max, min, 900_000_000_001_000_000L);
            if (random.nextInt(4) > 0) {
                // an integer lies strictly between, whichever bound is excluded
                schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", min - 1);
            }
            if (random.nextInt(4) > 0) {
                schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", max + 1);
            }
        }
        return schema;
    }

    private ObjectNode counted(ObjectNode schema, String min, String max) {
        int least = random.nextInt(4);
        if (random.nextBoolean()) {
            schema.put(min, least);
        }
        if (random.nextBoolean()) {
            schema.put(max, least + random.nextInt(4));
        }
        return schema;
    }

    private ObjectNode array(ObjectNode schema, int depth) {
        schema.put("type", "array");
        if (random.nextBoolean()) {
            ArrayNode places = schema.putArray("prefixItems");
            for (int n = random.nextInt(3); n >= 0; n--) {
                places.add(schema(depth - 1));
            }
        }
        if (random.nextInt(4) > 0) {
            schema.set("items", schema(depth - 1));
        }
        return counted(schema, "minItems", "maxItems");
    }

    private ObjectNode object(ObjectNode schema, int depth) {
        schema.put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = NODES.arrayNode();
        for (String name : NAMES) {
            if (random.nextInt(3) == 0) {
                properties.set(name, schema(depth - 1));
                if (random.nextBoolean()) {
                    required.add(name);
                }
            }
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
        if (random.nextBoolean()) {
            schema.set("additionalProperties", random.nextBoolean() ? NODES.booleanNode(false) : schema(depth - 1));
        }
        return schema;
    }

    /** A value that {@code schema} allows. */
    JsonNode value(JsonNode schema) {
        if (schema.isBoolean()) {
            return anything(2);
        }
        if (schema.has("const")) {
            return schema.get("const");
        }
        for (String choices : List.of("enum", "anyOf", "oneOf")) {
            if (schema.has(choices)) {
                JsonNode one = schema.get(choices)
                        .get(random.nextInt(schema.get(choices).size()));
                return choices.equals("enum") ? one : value(one);
            }
        }
        JsonNode type = schema.get("type");
        String name = type.isArray() ? type.get(random.nextInt(type.size())).stringValue() : type.stringValue();
        return switch (name) {
            case "null" -> NODES.nullNode();
            case "boolean" -> NODES.booleanNode(random.nextBoolean());
            case "integer", "number" -> number(schema);
            case "string" -> NODES.stringNode(text(count(schema, "minLength", "maxLength")));
            case "array" -> {
                ArrayNode array = NODES.arrayNode();
                int places = schema.path("prefixItems").size();
                int most = places > 0 && !schema.has("items")
                        ? Math.max(places, schema.path("minItems").asInt(0))
                        : Integer.MAX_VALUE;
                for (int n = Math.min(most, count(schema, "minItems", "maxItems")); array.size() < n; ) {
                    JsonNode items = schema.has("items") ? schema.get("items") : NODES.booleanNode(true);
                    array.add(value(
                            array.size() < places ? schema.get("prefixItems").get(array.size()) : items));
                }
                yield array;
            }
            default -> {
                ObjectNode object = NODES.objectNode();
                schema.get("properties").properties().forEach(property -> {
                    boolean required = schema.path("required")
                            .valueStream()
                            .anyMatch(n -> n.stringValue().equals(property.getKey()));
                    if (required || random.nextBoolean()) {
                        object.set(property.getKey(), value(property.getValue()));
                    }
                });
                JsonNode others = schema.path("additionalProperties");
                for (String other : List.of("other", "abcd", "nam")) {
                    if ((others.isObject() || others.asBoolean(false)) && random.nextBoolean()) {
                        object.set(other, value(others));
                    }
                }
                yield object;
            }
        };
    }

    private JsonNode number(JsonNode schema) {
        Long min = end(schema, "minimum", "exclusiveMinimum", 1);
        Long max = end(schema, "maximum", "exclusiveMaximum", -1);
        min = min == null ? (max == null ? 0 : max) - 1000 : min;
        max = max == null ? min + 2000 : max;
        return NODES.numberNode(
                random.nextInt(3) == 0 ? min : random.nextInt(3) == 0 ? max : random.nextLong(min, max + 1));
    }

    /** The first integer that a bound allows. */
    private static @Nullable Long end(JsonNode schema, String included, String excluded, int inside) {
        if (schema.has(included)) {
            return schema.get(included).longValue();
        }
        return schema.has(excluded) ? schema.get(excluded).longValue() + inside : null;
    }

    private int count(JsonNode schema, String min, String max) {
        int least = schema.path(min).asInt(0);
        return random.nextInt(least, schema.path(max).asInt(least + 3) + 1);
    }

    private String text(int length) {
        StringBuilder text = new StringBuilder();
        int[] characters = CHARACTERS.codePoints().toArray();
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(characters[random.nextInt(characters.length)]);
        }
        return text.toString();
    }

    /** Any value. */
    JsonNode anything(int depth) {
        return switch (random.nextInt(depth > 0 ? 7 : 5)) {
            case 0 -> NODES.nullNode();
            case 1 -> NODES.booleanNode(random.nextBoolean());
            case 2 -> NODES.numberNode(random.nextInt(2000) - 1000);
            case 3 -> NODES.numberNode((random.nextInt(2000) - 1000) / 8.0);
            case 4 -> NODES.stringNode(text(random.nextInt(5)));
            case 5 -> {
                ArrayNode array = NODES.arrayNode();
                for (int n = random.nextInt(3); n > 0; n--) {
                    array.add(anything(depth - 1));
                }
                yield array;
            }
            default -> {
                ObjectNode object = NODES.objectNode();
                for (int n = random.nextInt(3); n > 0; n--) {
                    object.set(NAMES.get(random.nextInt(NAMES.size())), anything(depth - 1));
                }
                yield object;
            }
        };
    }
}
