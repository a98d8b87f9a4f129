package dev.obr.models.file;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Builds JSON trees from Gson's tokens. Jackson's own parser initialises {@code BigDecimal} and many classes of its own before the first token, which every start of a small model would
 * wait for: 0.1 s. Its mapper takes longer still.
 */
public final class JsonTree {
    private static final int MAX_DEPTH = 255;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final JsonReader tokens;

    private JsonTree(JsonReader tokens) {
        this.tokens = tokens;
    }

    /**
     * Parses UTF-8 text that must hold one JSON value, without duplicate names in any object.
     *
     * @throws IOException where it does not: the message says what and where
     */
    public static JsonNode parse(byte[] text) throws IOException {
        String characters;
        try {
            characters = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw new IOException("it is not UTF-8 text", malformed);
        }
        try (JsonReader tokens = new JsonReader(new StringReader(characters))) {
            tokens.setStrictness(Strictness.STRICT);
            tokens.setNestingLimit(MAX_DEPTH);
            JsonNode root = new JsonTree(tokens).value();
            if (tokens.peek() != JsonToken.END_DOCUMENT) {
                throw new MalformedJsonException("more than one JSON value");
            }
            return root;
        } catch (IOException | JsonParseException | NumberFormatException | IllegalStateException malformed) {
            throw new IOException(firstLine(malformed), malformed); // Gson's second line is a link to its own help
        }
    }

    /** Without Gson's advice to its callers. */
    private static String firstLine(Exception malformed) {
        String line = String.valueOf(malformed.getMessage()).lines().findFirst().orElse("");
        return line.replace(
                "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON", "something malformed");
    }

    private JsonNode value() throws IOException {
        return switch (tokens.peek()) {
            case BEGIN_OBJECT -> object();
            case BEGIN_ARRAY -> {
                ArrayNode array = NODES.arrayNode();
                tokens.beginArray();
                while (tokens.hasNext()) {
                    array.add(value());
                }
                tokens.endArray();
                yield array;
            }
            case STRING -> NODES.stringNode(tokens.nextString());
            case NUMBER -> number(tokens.nextString());
            case BOOLEAN -> NODES.booleanNode(tokens.nextBoolean());
            case NULL -> {
                tokens.nextNull();
                yield NODES.nullNode();
            }
            default -> throw new MalformedJsonException("no JSON value where one is expected");
        };
    }

    private ObjectNode object() throws IOException {
        ObjectNode object = NODES.objectNode();
        tokens.beginObject();
        while (tokens.hasNext()) {
            String name = tokens.nextName();
            if (object.has(name)) {
                throw new MalformedJsonException("Duplicate name \"" + name + "\" at " + tokens.getPath());
            }
            object.set(name, value());
        }
        tokens.endObject();
        return object;
    }

    private static JsonNode number(String text) {
        if (text.indexOf('.') >= 0 || text.indexOf('e') >= 0 || text.indexOf('E') >= 0) {
            return NODES.numberNode(Double.parseDouble(text));
        }
        if (text.length() > 18) { // more digits than every long has
            return NODES.numberNode(new BigInteger(text));
        }
        long value = Long.parseLong(text);
        return value == (int) value ? NODES.numberNode((int) value) : NODES.numberNode(value);
    }
}
