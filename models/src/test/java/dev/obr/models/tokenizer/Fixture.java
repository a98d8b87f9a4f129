package dev.obr.models.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A file of src/test/resources/tokenizers: a small vocabulary as GGUF metadata, and what independent tokenizers make of difficult texts. */
record Fixture(String name, JsonNode json) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** A text and its tokens. */
    record Case(String text, int[] ids) {}

    static Fixture read(String name) {
        return new Fixture(name, JSON.readTree(bytes(name + ".json")));
    }

    static byte[] bytes(String file) {
        try (InputStream in = Fixture.class.getResourceAsStream("/tokenizers/" + file)) {
            if (in == null) {
                throw new IllegalArgumentException("no fixture " + file);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    GgufTokenizer tokenizer() {
        return GgufTokenizer.create(metadata(), name + ".gguf");
    }

    /** The metadata in the types that the GGUF reader gives. */
    Map<String, Object> metadata() {
        Map<String, Object> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            if (entry.getKey().startsWith("tokenizer.")) {
                metadata.put(entry.getKey(), value(entry.getValue()));
            }
        }
        return metadata;
    }

    /** @param kind {@code plain}, or {@code special} for texts with special tokens inside */
    List<Case> cases(String kind) {
        JsonNode texts = read("texts").json().get(kind);
        List<Case> cases = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            cases.add(new Case(texts.get(i).asString(), ids(json.get(kind).get(i))));
        }
        return cases;
    }

    /** The cases of a file that is a list of texts with their ids. */
    static List<Case> encodings(JsonNode list) {
        List<Case> cases = new ArrayList<>();
        for (JsonNode entry : list) {
            cases.add(new Case(entry.get("text").asString(), ids(entry.get("ids"))));
        }
        return cases;
    }

    static int[] ids(JsonNode list) {
        return list.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private static Object value(JsonNode node) {
        if (node.isBoolean()) {
            return node.asBoolean();
        }
        if (node.isNumber()) {
            return node.asLong();
        }
        if (node.isString()) {
            return node.asString();
        }
        if (node.get(0).isString()) {
            return node.valueStream().map(JsonNode::asString).toArray(String[]::new);
        }
        if (node.get(0).isIntegralNumber()) {
            return ids(node);
        }
        float[] floats = new float[node.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = node.get(i).floatValue();
        }
        return floats;
    }
}
