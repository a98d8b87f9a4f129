package dev.obr.runtime.chat;

import dev.obr.runtime.grammar.Grammar;
import dev.obr.runtime.grammar.JsonSchema;
import dev.obr.runtime.grammar.MarkedJson;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The functions that an answer may call.
 *
 * <p>They are described in the system message in the words that Qwen's and Hermes' models were trained with, which other models are told likewise. A call is a line
 * {@code {"name": .., "arguments": {..}}} between {@code <tool_call>} and {@code </tool_call>}. An answer that has to call begins with the opening tag, and a grammar lets nothing but a call
 * of a known function with valid arguments follow.
 *
 * @param tools by the function's name: {@code {"type": "function", "function": {"name": .., "description": .., "parameters": {..}}}}
 */
public record ToolSet(Map<String, JsonNode> tools) {
    public static final String OPENING = "<tool_call>";
    public static final String CLOSING = "</tool_call>";

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    public ToolSet {
        tools = Collections.unmodifiableMap(new LinkedHashMap<>(tools));
    }

    /** What the system message tells of the functions. */
    public String description() {
        StringBuilder text = new StringBuilder("""
                # Tools

                You may call one or more functions to assist with the user query.

                You are provided with function signatures within <tools></tools> XML tags:
                <tools>""");
        tools.values().forEach(tool -> text.append('\n').append(tool));
        return text.append("""

                        </tools>

                        For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
                        <tool_call>
                        {"name": <function-name>, "arguments": <args-json-object>}
                        </tool_call>""").toString();
    }

    /** A call as an assistant's turn holds it. */
    static String written(ToolCall call) {
        String name = NODES.stringNode(call.name()).toString();
        return OPENING + "\n{\"name\": " + name + ", \"arguments\": " + call.arguments() + "}\n" + CLOSING;
    }

    /**
     * What an answer that has to call one of {@code names} is, behind {@link #OPENING}.
     *
     * @throws dev.obr.kernels.ObrException if the parameters of one are no schema that can be held to
     */
    public Grammar callGrammar(Collection<String> names) {
        return JsonSchema.grammar(callSchema(names));
    }

    /**
     * What an answer is that may call any function: each opening tag is followed by a call of a known function with valid arguments.
     *
     * @param content the schema of answers that call nothing, or null for any text
     * @throws dev.obr.kernels.ObrException if that, or the parameters of a function, are no schema that can be held to
     */
    public Grammar answerGrammar(@Nullable JsonNode content) {
        return MarkedJson.grammar(OPENING, callSchema(tools.keySet()), CLOSING, content);
    }

    private JsonNode callSchema(Collection<String> names) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode calls = schema.putArray("anyOf");
        ObjectNode definitions = NODES.objectNode();
        for (String name : names) {
            JsonNode parameters = parameters(name);
            // A schema's own references begin at its root, so its definitions move to the root of this one.
            if (parameters != null && parameters.get("$defs") != null) {
                parameters
                        .get("$defs")
                        .properties()
                        .forEach(entry -> definitions.set(entry.getKey(), entry.getValue()));
            }
            ObjectNode call = calls.addObject().put("type", "object");
            ObjectNode properties = call.putObject("properties");
            properties.putObject("name").put("const", name);
            properties.set("arguments", parameters == null ? NODES.objectNode().put("type", "object") : parameters);
            call.putArray("required").add("name").add("arguments");
            call.put("additionalProperties", false);
        }
        if (!definitions.isEmpty()) {
            schema.set("$defs", definitions);
        }
        return schema;
    }

    private @Nullable JsonNode parameters(String name) {
        JsonNode tool = tools.get(name);
        JsonNode function = tool == null ? null : tool.get("function");
        JsonNode parameters = function == null ? null : function.get("parameters");
        return parameters == null || parameters.isNull() ? null : parameters;
    }
}
