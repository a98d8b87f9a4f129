package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas as users write them: what may be written, what not, and what is refused. */
class JsonSchemaTest {
    /** A function of OpenAI's tool calling, as its documentation writes them. */
    private static final String WEATHER = """
            {"type": "object",
             "properties": {
               "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
               "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
               "days": {"type": "integer", "minimum": 1, "maximum": 14, "default": 3}},
             "required": ["location"],
             "additionalProperties": false}""";

    /** Nested objects, arrays, references and null, as Pydantic and zod write them. */
    private static final String ORDER = """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Order", "type": "object",
             "$defs": {
               "Address": {"type": "object", "title": "Address",
                 "properties": {"street": {"type": "string"}, "zip": {"type": ["string", "null"], "maxLength": 5}},
                 "required": ["street", "zip"], "additionalProperties": false},
               "Item": {"type": "object",
                 "properties": {"sku": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0},
                   "options": {"type": "array", "items": {"$ref": "#/$defs/Option"}, "default": []}},
                 "required": ["sku", "price"], "additionalProperties": false},
               "Option": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"$ref": "#/$defs/Item"}]}},
             "properties": {
               "shipping": {"allOf": [{"$ref": "#/$defs/Address"}], "description": "where to"},
               "billing": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}], "default": null},
               "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}, "minItems": 1, "maxItems": 3},
               "express": {"type": "boolean"}},
             "required": ["shipping", "items"]}""";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"location\":\"Paris\"}",
                "{\"location\": \"Paris\", \"unit\": \"celsius\"}",
                "{ \"location\": \"Paris\", \"days\": 14 }",
                "{\n  \"location\": \"São \\\"Paulo\\\" \\u00e9\\ud83d\\ude42\",\n  \"unit\": \"fahrenheit\",\n  \"days\": 1\n}",
            })
    void toolArguments(String text) {
        Grammar grammar = JsonSchema.grammar(WEATHER);
        assertThat(Reading.accepts(grammar, text)).isTrue();
        for (int end = 0; end <= text.length(); end++) {
            assertThat(Reading.begins(grammar, text.substring(0, end))).isTrue();
            assertThat(Reading.accepts(grammar, text.substring(0, end))).isEqualTo(end == text.length());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"location\":5}",
                "{\"unit\":\"celsius\",\"location\":\"Paris\"}",
                "{\"location\":\"Paris\",\"unit\":\"kelvin\"}",
                "{\"location\":\"Paris\",\"days\":0}",
                "{\"location\":\"Paris\",\"days\":15}",
                "{\"location\":\"Paris\",\"days\":3.0}",
                "{\"location\":\"Paris\",\"wind\":true}",
                "{\"location\":\"Paris\",}",
                "{\"location\":  \"Paris\"}",
                "{\"location\":\"Pa\nris\"}",
                "{\"location\":\"\\ud83d\"}",
                "{\n\n\"location\":\"Paris\"}",
                " {\"location\":\"Paris\"}",
                "{\"location\":\"Paris\"} ",
            })
    void notToolArguments(String text) {
        assertThat(Reading.accepts(JsonSchema.grammar(WEATHER), text)).isFalse();
    }

    @Test
    void nestedObjectsArraysAndReferences() {
        Grammar grammar = JsonSchema.grammar(ORDER);
        String address = "{\"street\": \"Main St 1\", \"zip\": null}";
        String item = "{\"sku\": \"x\", \"price\": 9.99, \"options\": [\"red\", 4, {\"sku\": \"y\", \"price\": 0}]}";
        String order = "{\"shipping\": %s, \"billing\": %s, \"items\": [%s], \"express\": true}";
        assertThat(Reading.accepts(grammar, order.formatted(address, address, item)))
                .isTrue();
        assertThat(Reading.accepts(grammar, order.formatted(address, "null", item + ", " + item)))
                .isTrue();
        assertThat(Reading.accepts(grammar, order.formatted("null", "null", item)))
                .isFalse();
        assertThat(Reading.accepts(grammar, order.formatted(address, "null", "")))
                .isFalse();
        assertThat(Reading.accepts(grammar, order.formatted(address, "null", String.join(",", item, item, item, item))))
                .isFalse();
        assertThat(Reading.accepts(grammar, order.formatted(address, "null", item.replace("9.99", "-9.99"))))
                .isFalse();
        assertThat(Reading.accepts(grammar, order.formatted(address.replace("null", "\"123456\""), "null", item)))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            true | 1 | true
            {} | [{}, null] | true
            {"type": "object"} | {"any": [1, {"thing": "at all"}]} | true
            {"properties": {"a": {}}} | {"b": 1} | false
            {"properties": {"a": {}}, "additionalProperties": true} | {"a": 1, "b": 1, "ab": 2} | true
            {"properties": {"a": {"type": "null"}}, "additionalProperties": true} | {"a": 1} | false
            {"properties": {"a": {"type": "null"}}, "additionalProperties": true} | {"\\u0061": 1} | false
            {"properties": {"a": false, "b": true}} | {"b": 1} | true
            {"properties": {"a": false, "b": true}} | {"a": 1} | false
            {"properties": {"a": {}}, "required": ["z"]} | {"z": 1} | true
            {"properties": {"a": {}}, "required": ["z"]} | {"a": 1} | false
            {"additionalProperties": {"type": "integer"}} | {"x": 1, "y\\n": 2} | true
            {"additionalProperties": {"type": "integer"}} | {"x": "1"} | false
            {"items": false} | [] | true
            {"items": false} | [1] | false
            {"items": {"type": "integer"}, "minItems": 2} | [1] | false
            {"items": {"type": "integer"}, "minItems": 2} | [1,2,3] | true
            {"prefixItems": [{"type": "integer"}, {"type": "string"}]} | [1, "a"] | true
            {"prefixItems": [{"type": "integer"}, {"type": "string"}]} | [1] | true
            {"prefixItems": [{"type": "integer"}, {"type": "string"}]} | [1, "a", 2] | false
            {"prefixItems": [{"type": "integer"}], "items": {"type": "null"}, "maxItems": 2} | [1, null] | true
            {"prefixItems": [{"type": "integer"}], "items": {"type": "null"}, "maxItems": 2} | [1, null, null] | false
            {"minLength": 2, "maxLength": 3} | "é🙂" | true
            {"minLength": 2, "maxLength": 3} | "\\ud83d\\ude42" | false
            {"minLength": 2, "maxLength": 3} | "\\ud83d\\ude42\\n" | true
            {"minLength": 2, "maxLength": 3} | "abcd" | false
            {"type": "string", "maxLength": 100000} | "abcd" | true
            {"type": "number"} | -0.5e+10 | true
            {"type": "number"} | 1e999 | false
            {"type": "number"} | 01 | false
            {"type": "number"} | 1. | false
            {"type": "number", "minimum": 0, "maximum": 1} | 0.25 | true
            {"type": "number", "minimum": 0, "maximum": 1} | 1.0 | true
            {"type": "number", "minimum": 0, "maximum": 1} | 1.01 | false
            {"type": "number", "minimum": 0, "maximum": 1} | -0.01 | false
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1} | 0.0 | false
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1} | 0.001 | true
            {"type": "number", "minimum": -2.0, "exclusiveMaximum": -1e0} | -1.5 | true
            {"type": "number", "minimum": -2.0, "exclusiveMaximum": -1e0} | -1.0 | false
            {"type": "integer", "minimum": 0.5, "exclusiveMaximum": 2} | 1 | true
            {"type": "integer", "minimum": 0.5, "exclusiveMaximum": 2} | 2 | false
            {"type": "integer", "maximum": 1e30} | 123456789012345678 | true
            {"enum": [1, "a", null, [true, {"b": 2}]]} | [ true, {"b":2} ] | true
            {"enum": [1, "a", null]} | "b" | false
            {"type": "string", "enum": [1, "a", null]} | 1 | false
            {"type": ["string", "null"], "enum": [1, "a", null]} | null | true
            {"const": {}} | { } | true
            {"const": "\\"é\\n"} | "\\"é\\n" | true
            {"type": "object", "anyOf": [{"properties": {"a": {}}}, {"type": "string"}]} | {"a": 0} | true
            {"type": "object", "anyOf": [{"properties": {"a": {}}}, {"type": "string"}]} | "a" | false
            {"type": "string", "format": "date-time", "x-order": 1} | "today" | true
            {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "null"}}} | null | true
            {"$defs": {"list": {"anyOf": [{"type": "null"}, {"items": {"$ref": "#/$defs/list"}}]}}, "$ref": "#/$defs/list"} | [null, [[], null]] | true
            {"properties": {"next": {"$ref": "#"}}} | {"next": {"next": {}}} | true
            {"type": "array", "items": {"$ref": "#"}} | [[[], []]] | true
            """)
    void oneSchemaOneText(String schema, String text, boolean accepted) {
        assertThat(Reading.accepts(JsonSchema.grammar(schema), text)).isEqualTo(accepted);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"type": | not valid JSON
            [] | at #, where a schema is expected
            {"type": "strin"} | keyword type at # is "strin", but must be one or a list of null, boolean
            {"properties": {"a": {"pattern": "^a$"}}} | keyword pattern at #/properties/a is not supported
            {"properties": {"a": {"maxLenght": 3}}} | keyword maxLenght at #/properties/a is not supported
            {"patternProperties": {}} | keyword patternProperties at #
            {"not": {}} | keyword not at #
            {"if": {}} | keyword if at #
            {"type": "array", "uniqueItems": true} | keyword uniqueItems at #
            {"type": "array", "contains": {}} | keyword contains at #
            {"type": "integer", "multipleOf": 5} | keyword multipleOf at #
            {"minProperties": 1} | keyword minProperties at #
            {"items": {"allOf": [{}, {}]}} | keyword allOf at #/items
            {"anyOf": [{}], "minLength": 3} | keyword minLength at # is not supported: beside anyOf
            {"$ref": "#/$defs/a", "properties": {}, "$defs": {"a": {}}} | keyword properties at # is not supported: beside $ref
            {"$ref": "https://example.org/schema"} | keyword $ref at #
            {"$ref": "#/$defs/gone"} | keyword $ref at # is "#/$defs/gone"
            {"$ref": "#"} | Nothing can satisfy #
            {"anyOf": [{"$ref": "#"}, {"type": "null"}]} | is defined as itself
            {"type": "number", "minimum": 0.5} | keyword minimum at # is 0.5, but must be a whole number
            {"type": "integer", "minimum": 1e30} | keyword minimum at #
            {"type": "integer", "exclusiveMinimum": true} | keyword exclusiveMinimum at # is true
            {"minLength": -1} | keyword minLength at # is -1
            {"maxItems": 2.5} | keyword maxItems at # is 2.5
            {"items": [{}, {}]} | has [{},{}] at #/items
            {"required": "a"} | keyword required at #
            {"enum": []} | keyword enum at #
            false | Nothing can satisfy #
            {"minLength": 3, "maxLength": 2} | Nothing can satisfy #
            {"type": "integer", "minimum": 3, "maximum": 2} | Nothing can satisfy #
            {"type": "string", "enum": [1]} | Nothing can satisfy #
            {"properties": {"a": {"$ref": "#"}}, "required": ["a"]} | Nothing can satisfy #
            {"properties": {}, "required": ["a"], "additionalProperties": false} | Nothing can satisfy #
            """)
    void whatIsRefused(String schema, String message) {
        assertThatThrownBy(() -> JsonSchema.grammar(schema))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining(message);
    }

    @Test
    void nestingIsLimited() {
        String deep = "{\"items\":".repeat(240) + "true" + "}".repeat(240);
        assertThatThrownBy(() -> JsonSchema.grammar(deep))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("nested more than 200 deep");
        StringBuilder chain = new StringBuilder("{\"$ref\": \"#/$defs/0\", \"$defs\": {");
        for (int i = 0; i < 5000; i++) {
            chain.append("\"%d\": {\"$ref\": \"#/$defs/%d\"}, ".formatted(i, i + 1));
        }
        assertThatThrownBy(() -> JsonSchema.grammar(chain + "\"5000\": true}}"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("nested more than 200 deep");
    }

    @Test
    void integersBetweenAllSmallBounds() {
        int[] ends = {-1000, -999, -120, -101, -100, -99, -10, -9, -1, 0, 1, 5, 9, 10, 11, 99, 100, 109, 120, 999, 1000
        };
        for (int min : ends) {
            for (int max : ends) {
                if (min > max) {
                    continue;
                }
                Grammar grammar = JsonSchema.grammar(
                        "{\"type\": \"integer\", \"minimum\": %d, \"maximum\": %d}".formatted(min, max));
                Acceptor acceptor = new Acceptor(grammar);
                for (int n = -1100; n <= 1100; n++) {
                    Acceptor.State state =
                            acceptor.after(acceptor.start(), String.valueOf(n).getBytes());
                    assertThat(state != null && state.mayEnd())
                            .as("%d in [%d, %d]", n, min, max)
                            .isEqualTo(min <= n && n <= max);
                }
            }
        }
    }

    @Test
    void blanksAreLimited() {
        Grammar grammar = JsonSchema.grammar("{\"type\": \"array\"}");
        assertThat(Reading.accepts(grammar, "[\n" + " ".repeat(32) + "1,\n2\n]"))
                .isTrue();
        assertThat(Reading.begins(grammar, "[\n" + " ".repeat(33))).isFalse();
        assertThat(Reading.begins(grammar, "[  ")).isFalse();
        assertThat(Reading.begins(grammar, "[\n\n")).isFalse();
        assertThat(Reading.begins(grammar, "[1 ,")).isFalse();
    }
}
