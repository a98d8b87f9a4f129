package dev.obr.runtime.grammar;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Turns a schema document into rules, one for each schema in it and the types it is asked for, so that references may lead back.
 *
 * <p>What a schema cannot satisfy becomes a rule without alternatives; {@link GrammarBuilder#build} takes such rules out, with everything that needs them.
 */
final class SchemaRules {
    private static final int MAX_DEPTH = 200; // of schemas in schemas, references included

    /** Each says on its own what a value is; only {@code type} may stand beside them. */
    private static final Set<String> WHOLE = Set.of("$ref", "allOf", "anyOf", "oneOf", "enum", "const");

    /** Which types the other keywords say something about. */
    private static final Map<String, JsonType> ASSERTIONS = Map.ofEntries(
            Map.entry("properties", JsonType.OBJECT),
            Map.entry("required", JsonType.OBJECT),
            Map.entry("additionalProperties", JsonType.OBJECT),
            Map.entry("items", JsonType.ARRAY),
            Map.entry("prefixItems", JsonType.ARRAY),
            Map.entry("minItems", JsonType.ARRAY),
            Map.entry("maxItems", JsonType.ARRAY),
            Map.entry("minLength", JsonType.STRING),
            Map.entry("maxLength", JsonType.STRING),
            Map.entry("pattern", JsonType.STRING),
            Map.entry("minimum", JsonType.NUMBER),
            Map.entry("maximum", JsonType.NUMBER),
            Map.entry("exclusiveMinimum", JsonType.NUMBER),
            Map.entry("exclusiveMaximum", JsonType.NUMBER));

    /** They say nothing about which values are valid. */
    private static final Set<String> ANNOTATIONS = Set.of(
            "$schema",
            "$id",
            "$anchor",
            "$comment",
            "$defs",
            "definitions",
            "title",
            "description",
            "default",
            "example",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "format",
            "contentEncoding",
            "contentMediaType",
            "contentSchema");

    private final GrammarBuilder grammar;
    private final JsonRules json;
    private final Schema document;
    private final Map<JsonNode, Map<Set<JsonType>, Integer>> known = new IdentityHashMap<>();
    private int depth;

    SchemaRules(GrammarBuilder grammar, JsonNode document) {
        this.grammar = grammar;
        this.json = new JsonRules(grammar);
        this.document = new Schema(document, "#");
    }

    /** The rule of the whole document. */
    int root() {
        return rule(document);
    }

    /** The rule of the values that {@code schema} allows. */
    int rule(Schema schema) {
        return rule(schema, JsonType.ALL);
    }

    /** The rule of a value that is written out, blanks between its parts left free. */
    int literal(JsonNode value, Schema schema, String keyword) {
        deeper(schema);
        int rule = grammar.rule("a value of " + schema.path());
        if (value.isObject()) {
            Sequence members = Sequence.of("{").rule(json.gap());
            String separator = "";
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                members.then(separator.isEmpty() ? Sequence.of("") : Sequence.of(json.comma()))
                        .text(JsonRules.quoted(member.getKey()))
                        .rule(json.colon())
                        .rule(literal(member.getValue(), schema, keyword));
                separator = ",";
            }
            grammar.add(
                    rule,
                    value.isEmpty()
                            ? members.text("}")
                            : members.rule(json.gap()).text("}"));
        } else if (value.isArray()) {
            Sequence items = Sequence.of("[").rule(json.gap());
            String separator = "";
            for (JsonNode item : value) {
                items.then(separator.isEmpty() ? Sequence.of("") : Sequence.of(json.comma()))
                        .rule(literal(item, schema, keyword));
                separator = ",";
            }
            grammar.add(
                    rule,
                    value.isEmpty() ? items.text("]") : items.rule(json.gap()).text("]"));
        } else {
            grammar.add(rule, Sequence.of(scalar(value, schema, keyword)));
        }
        depth--;
        return rule;
    }

    private static String scalar(JsonNode value, Schema schema, String keyword) {
        String text = value.isString() ? JsonRules.quoted(value.stringValue()) : value.toString();
        boolean written = value.isString() || value.isBoolean() || value.isNull();
        // what a program put into a tree by hand may be no JSON: NaN, a POJO
        if (!written && !text.matches("-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
            throw schema.unusable(keyword, "made of JSON values");
        }
        return text;
    }

    private int rule(Schema schema, Set<JsonType> types) {
        if (schema.node().isBoolean()) {
            return schema.node().booleanValue() ? any(types) : grammar.rule(schema.path());
        }
        Map<Set<JsonType>, Integer> byTypes = known.computeIfAbsent(schema.node(), node -> new HashMap<>());
        Integer rule = byTypes.get(types);
        if (rule == null) {
            rule = grammar.rule(schema.path());
            byTypes.put(types, rule);
            deeper(schema);
            define(rule, schema, types);
            depth--;
        }
        return rule;
    }

    private void deeper(Schema schema) {
        if (++depth > MAX_DEPTH) {
            throw new ObrException("The JSON schema is nested more than " + MAX_DEPTH + " deep at "
                    + Excerpt.of(schema.path()) + ": make it flatter.");
        }
    }

    private int any(Set<JsonType> types) {
        if (types.equals(JsonType.ALL)) {
            return json.anything();
        }
        int rule = grammar.rule("a value");
        types.forEach(type -> grammar.add(rule, Sequence.of(json.value(type))));
        return rule;
    }

    private void define(int rule, Schema schema, Set<JsonType> wanted) {
        List<String> assertions = assertions(schema);
        Set<JsonType> own = schema.types();
        Set<JsonType> types = own == null ? wanted : JsonType.both(own, wanted);
        String whole = assertions.stream().filter(WHOLE::contains).findFirst().orElse(null);
        if (whole != null) {
            if (assertions.size() > 1) {
                String other = assertions.stream()
                        .filter(keyword -> !keyword.equals(whole))
                        .findFirst()
                        .orElseThrow();
                throw schema.unsupported(other, "beside " + whole + " only type and annotations may stand");
            }
            defineWhole(rule, schema, whole, types);
            return;
        }
        if (own == null && !assertions.isEmpty()) {
            Set<JsonType> meant = EnumSet.noneOf(JsonType.class);
            assertions.forEach(keyword -> meant.add(ASSERTIONS.get(keyword)));
            types = JsonType.both(meant, wanted);
        }
        for (JsonType type : types) {
            defineType(rule, schema, type);
        }
    }

    /** The keywords of {@code schema} that decide which values are valid, but for {@code type}. */
    private static List<String> assertions(Schema schema) {
        Stream<String> keywords = schema.node().properties().stream().map(Map.Entry::getKey);
        return keywords.filter(keyword -> !keyword.equals("type")
                        && !ANNOTATIONS.contains(keyword)
                        && !keyword.startsWith("x-")
                        && !saysNothing(schema, keyword))
                .peek(keyword -> {
                    if (!WHOLE.contains(keyword) && !ASSERTIONS.containsKey(keyword)) {
                        throw schema.unsupported(keyword, "leave it out or say it in the description");
                    }
                })
                .toList();
    }

    /** Keywords that are not supported, in the one form that allows everything. */
    private static boolean saysNothing(Schema schema, String keyword) {
        JsonNode value = schema.node().path(keyword);
        return switch (keyword) {
            case "uniqueItems", "nullable" -> value.isBoolean() && !value.booleanValue();
            default -> false;
        };
    }

    private void defineWhole(int rule, Schema schema, String keyword, Set<JsonType> types) {
        switch (keyword) {
            case "$ref" -> grammar.add(rule, Sequence.of(rule(referred(schema), types)));
            case "allOf" -> {
                List<Schema> all = schema.list(keyword);
                if (all.size() > 1) {
                    throw schema.unsupported(keyword, "it may hold one schema only, so write them as one");
                }
                grammar.add(rule, Sequence.of(rule(all.getFirst(), types)));
            }
            case "anyOf", "oneOf" ->
                schema.list(keyword).forEach(choice -> grammar.add(rule, Sequence.of(rule(choice, types))));
            case "const" -> addLiteral(rule, schema.node().path(keyword), schema, keyword, types);
            default -> {
                JsonNode values = schema.node().path(keyword);
                if (!values.isArray() || values.isEmpty()) {
                    throw schema.unusable(keyword, "a list of values");
                }
                values.forEach(value -> addLiteral(rule, value, schema, keyword, types));
            }
        }
    }

    private void addLiteral(int rule, JsonNode value, Schema schema, String keyword, Set<JsonType> types) {
        int literal = literal(value, schema, keyword);
        if (JsonType.isOneOf(types, value)) {
            grammar.add(rule, Sequence.of(literal));
        }
    }

    /** The schema that {@code $ref} points to: a JSON pointer into this document. */
    private Schema referred(Schema schema) {
        JsonNode reference = schema.node().path("$ref");
        String text = reference.isString() ? reference.stringValue() : "";
        if (!text.equals("#") && !text.startsWith("#/")) {
            throw schema.unusable("$ref", "a place in the same document, such as \"#/$defs/name\"");
        }
        JsonNode node = document.node();
        String[] steps = text.split("/", -1);
        for (int i = 1; i < steps.length; i++) {
            String step = steps[i].replace("~1", "/").replace("~0", "~");
            node = node.isArray() && step.matches("[0-9]{1,9}") ? node.path(Integer.parseInt(step)) : node.path(step);
        }
        if (node.isMissingNode()) {
            throw schema.unusable("$ref", "a place that exists in the document");
        }
        return new Schema(node, text);
    }

    private void defineType(int rule, Schema schema, JsonType type) {
        switch (type) {
            case NULL, BOOLEAN -> grammar.add(rule, Sequence.of(json.value(type)));
            case INTEGER, NUMBER -> defineNumber(rule, schema, type);
            case STRING -> defineString(rule, schema);
            case ARRAY -> new ArrayRules(grammar, json, this).define(rule, schema);
            case OBJECT -> new ObjectRules(grammar, json, this).define(rule, schema);
        }
    }

    private void defineString(int rule, Schema schema) {
        if (schema.has("pattern")) {
            throw schema.unsupported("pattern", "leave it out or say it in the description");
        }
        int min = schema.count("minLength", 0);
        int max = schema.count("maxLength", Symbol.Repeat.ENDLESS);
        if (max == Symbol.Repeat.ENDLESS || min <= max) {
            grammar.add(rule, json.string(min, max));
        }
    }

    private void defineNumber(int rule, Schema schema, JsonType type) {
        Bound low = Bound.highest(Bound.of(schema, "minimum", false), Bound.of(schema, "exclusiveMinimum", true));
        Bound high = Bound.lowest(Bound.of(schema, "maximum", false), Bound.of(schema, "exclusiveMaximum", true));
        if (low == null && high == null) {
            grammar.add(rule, Sequence.of(json.value(type)));
            return;
        }
        low = low == null ? Bound.LOWEST : low;
        high = high == null ? Bound.HIGHEST : high;
        Sequence[] numbers = type == JsonType.INTEGER
                ? json.digits().integer(low.ceiling(), high.floor())
                : json.digits().number(low.whole(schema), low.excluded(), high.whole(schema), high.excluded());
        for (Sequence number : numbers) {
            grammar.add(rule, number);
        }
    }
}
