package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Damaged schemas give a grammar, or an {@link ObrException} of one sentence; nothing else is thrown, and every grammar can be read by. */
class JsonSchemaFuzzTest {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> KEYWORDS = List.of(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "prefixItems",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "enum",
            "const",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "$defs",
            "not",
            "title",
            "pattern",
            "a",
            "");
    private static final List<String> WORDS = List.of(
            "string",
            "object",
            "array",
            "integer",
            "number",
            "null",
            "#",
            "#/",
            "#/$defs/a",
            "#/items",
            "#/properties/a",
            "#/anyOf/0",
            "#/~",
            "a",
            "\ud800",
            "\u0000\"\\");

    @Test
    void damagedTexts() {
        Random random = new Random(1);
        RandomSchema schemas = new RandomSchema(random);
        int read = 0;
        for (int round = 0; round < 2_000; round++) {
            StringBuilder text = new StringBuilder(schemas.schema(3).toString());
            for (int n = random.nextInt(3); n >= 0; n--) {
                int at = random.nextInt(text.length());
                text.setCharAt(at, "{}[]\",:0-9e.tfn a\u00e9".charAt(random.nextInt(18)));
            }
            read += read(text.toString()) ? 1 : 0;
        }
        assertThat(read).isBetween(20, 1_900);
    }

    @Test
    void schemasOfAnything() {
        Random random = new Random(2);
        int read = 0;
        for (int round = 0; round < 4_000; round++) {
            read += read(anything(random, 4).toString()) ? 1 : 0;
        }
        assertThat(read).isBetween(200, 3_800);
    }

    @Test
    void treesThatNoTextWouldGive() {
        Random random = new Random(3);
        List<JsonNode> odd = new ArrayList<>(List.of(
                NODES.numberNode(Double.NaN),
                NODES.numberNode(Float.POSITIVE_INFINITY),
                NODES.missingNode(),
                NODES.pojoNode(this),
                NODES.binaryNode(new byte[3])));
        for (String keyword : KEYWORDS) {
            for (JsonNode node : odd) {
                ObjectNode schema = (ObjectNode)
                        NODES.objectNode().put("title", random.nextInt()).set(keyword, node);
                try {
                    JsonSchema.grammar(schema);
                } catch (ObrException expected) {
                    assertThat(expected).hasMessageEndingWith(".");
                }
            }
        }
    }

    private static boolean read(String schema) {
        try {
            Acceptor acceptor = new Acceptor(JsonSchema.grammar(schema));
            acceptor.after(acceptor.start(), "{\"a\":[1,\"b".getBytes());
            return true;
        } catch (ObrException expected) {
            assertThat(expected.getMessage()).endsWith(".").doesNotContain("\n");
            return false;
        }
    }

    private static JsonNode anything(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 10 : 5)) {
            case 0 -> NODES.booleanNode(random.nextInt(4) > 0);
            case 1 -> NODES.numberNode(random.nextInt(12) - 2);
            case 2 -> NODES.numberNode(Math.scalb(random.nextDouble() - 0.5, random.nextInt(2000) - 1000));
            case 3, 4 -> NODES.stringNode(WORDS.get(random.nextInt(WORDS.size())));
            case 5, 6 -> {
                ArrayNode array = NODES.arrayNode();
                for (int n = random.nextInt(3); n > 0; n--) {
                    array.add(anything(random, depth - 1));
                }
                yield array;
            }
            default -> {
                ObjectNode object = NODES.objectNode();
                for (int n = random.nextInt(4); n > 0; n--) {
                    object.set(KEYWORDS.get(random.nextInt(KEYWORDS.size())), anything(random, depth - 1));
                }
                yield object;
            }
        };
    }
}
