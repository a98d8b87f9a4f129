package dev.obr.server;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.chat.ToolSet;
import dev.obr.runtime.grammar.Grammar;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * {@code tools} and {@code tool_choice}: the functions that an answer may call, and whether it has to.
 *
 * @param functions by name: the JSON of each tool
 * @param use whether they are told of at all
 * @param forced the functions of which one has to be called; none where the answer is free
 */
record Tools(Map<String, Fields> functions, boolean use, List<String> forced) {
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

    /** What a model is told of them. */
    ToolSet told() {
        Map<String, JsonNode> tools = new LinkedHashMap<>();
        functions.forEach((name, tool) -> tools.put(name, tool.object()));
        return new ToolSet(tools);
    }

    /** What an answer that has to call is, behind {@link ToolSet#OPENING}. */
    Grammar callGrammar() {
        try {
            return told().callGrammar(forced);
        } catch (ObrException e) {
            throw ApiException.wrong("tools", String.valueOf(e.getMessage()));
        }
    }
}
