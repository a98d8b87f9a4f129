package dev.obr.server;

import dev.obr.runtime.grammar.Grammar;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The functions that an answer may call, and whether it has to.
 *
 * <p>They are described in the system message in the words that Qwen's and Hermes' models were trained with, which other models are told likewise. A call is a line
 * {@code {"name": .., "arguments": {..}}} between {@code <tool_call>} and {@code </tool_call>}. An answer that has to call begins with the opening tag, and a grammar lets nothing but a call
 * of a known function with valid arguments follow.
 *
 * @param functions by name: the JSON of each tool
 * @param use whether they are told of at all
 * @param forced the functions of which one has to be called; none where the answer is free
 */
record Tools(Map<String, Fields> functions, boolean use, List<String> forced) {
    static final String OPENING = "<tool_call>";
    static final String CLOSING = "</tool_call>";

    static Tools of(Fields body) {
        Map<String, Fields> functions = new LinkedHashMap<>();
        for (Fields tool : body.children("tools")) {
            if (!"function".equals(tool.requiredText("type"))) {
                throw tool.unusable("type", "function");
            }
            Fields function = tool.child("function");
            if (function == null) {
                throw tool.unusable("function", "an object");
            }
            function.text("description");
            function.child("parameters");
            functions.put(function.requiredText("name"), tool);
        }
        JsonNode choice = body.get("tool_choice");
        if (choice == null
                || (functions.isEmpty()
                        && choice.isString()
                        && !choice.stringValue().equals("required"))) {
            return new Tools(functions, !functions.isEmpty(), List.of());
        }
        if (choice.isString()) {
            return switch (choice.stringValue()) {
                case "none" -> new Tools(functions, false, List.of());
                case "auto" -> new Tools(functions, true, List.of());
                case "required" -> new Tools(functions, true, known(body, functions, null));
                default -> throw body.unusable("tool_choice", "none, auto, required or a function");
            };
        }
        Fields function = choice.isObject() ? new Fields("tool_choice.", choice).child("function") : null;
        if (function == null) {
            throw body.unusable("tool_choice", "none, auto, required or a function");
        }
        return new Tools(functions, true, known(body, functions, function.requiredText("name")));
    }

    /** The names that may be called: {@code name}, or all. */
    private static List<String> known(Fields body, Map<String, Fields> functions, @Nullable String name) {
        if (functions.isEmpty() || (name != null && !functions.containsKey(name))) {
            throw body.unusable("tool_choice", "one of tools");
        }
        return name == null ? List.copyOf(functions.keySet()) : List.of(name);
    }

    /** What the system message tells of the functions. */
    String description() {
        StringBuilder text = new StringBuilder("""
                # Tools

                You may call one or more functions to assist with the user query.

                You are provided with function signatures within <tools></tools> XML tags:
                <tools>""");
        functions.values().forEach(tool -> text.append('\n').append(tool.object()));
        return text.append("""

                        </tools>

                        For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
                        <tool_call>
                        {"name": <function-name>, "arguments": <args-json-object>}
                        </tool_call>""").toString();
    }

    /** What an answer that has to call is, behind {@link #OPENING}. */
    Grammar callGrammar() {
        List<Object> calls = new ArrayList<>();
        Map<String, @Nullable Object> definitions = new LinkedHashMap<>();
        for (String name : forced) {
            JsonNode parameters = parameters(name);
            // A schema's own references begin at its root, so its definitions move to the root of this one.
            if (parameters != null && parameters.get("$defs") != null) {
                parameters
                        .get("$defs")
                        .properties()
                        .forEach(entry -> definitions.put(entry.getKey(), entry.getValue()));
            }
            calls.add(Json.object(
                    "type",
                    "object",
                    "properties",
                    Json.object(
                            "name",
                            Json.object("const", name),
                            "arguments",
                            parameters == null ? Json.object("type", "object") : parameters),
                    "required",
                    List.of("name", "arguments"),
                    "additionalProperties",
                    false));
        }
        Map<String, @Nullable Object> schema = Json.object("anyOf", calls);
        if (!definitions.isEmpty()) {
            schema.put("$defs", definitions);
        }
        return ResponseFormat.grammar("tools", Fields.body(Json.bytes(schema)).object());
    }

    private @Nullable JsonNode parameters(String name) {
        Fields tool = functions.get(name);
        Fields function = tool == null ? null : tool.child("function");
        return function == null ? null : function.get("parameters");
    }
}
