package dev.obr.runtime.grammar;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;

/**
 * Grammars of JSON texts.
 *
 * <p>A grammar made of a schema lets through only texts that are valid by it, but not all of them:
 *
 * <ul>
 *   <li>Properties come in the order of the schema; what {@code required} names beside them comes last.
 *   <li>Without {@code additionalProperties}, an object with {@code properties} gets no others. Names of additional ones are written without escapes, and may repeat each other.
 *   <li>Without {@code items}, an array with {@code prefixItems} gets no more than those, or than {@code minItems} asks for.
 *   <li>Without {@code type}, the keywords decide: {@code properties} make an object, {@code minLength} makes a string.
 *   <li>Values of {@code enum} and {@code const} are written in one way, without needless escapes.
 *   <li>Numbers between bounds have no exponent; the bounds hold for the decimal that is written, before a reader rounds it to a double. Blanks and digits are limited ({@link JsonRules}).
 * </ul>
 *
 * <p>Looser than JSON Schema in one thing: {@code oneOf} is taken as {@code anyOf}, so a value may fit two of its schemas. {@code format} is an annotation and not checked. A keyword that is
 * not supported is an error, never ignored.
 */
public final class JsonSchema {
    private JsonSchema() {}

    /**
     * The grammar of a schema.
     *
     * @throws ObrException if {@code schema} is not JSON, is no schema, uses what is not supported, or allows no value
     */
    public static Grammar grammar(String schema) {
        JsonNode root;
        try {
            root = JsonTree.parse(schema.getBytes(StandardCharsets.UTF_8));
        } catch (IOException malformed) {
            throw new ObrException(
                    "The JSON schema is not valid JSON (" + Excerpt.of(String.valueOf(malformed.getMessage()))
                            + "): correct it.",
                    malformed);
        }
        return grammar(root);
    }

    /** As {@link #grammar(String)}, of a schema that is parsed already. */
    public static Grammar grammar(JsonNode schema) {
        GrammarBuilder grammar = new GrammarBuilder();
        return grammar.build(new SchemaRules(grammar, schema).root());
    }

    /** The grammar of all JSON objects. */
    public static Grammar anyObject() {
        GrammarBuilder grammar = new GrammarBuilder();
        return grammar.build(new JsonRules(grammar).value(JsonType.OBJECT));
    }
}
