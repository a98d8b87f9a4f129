package dev.obr.langchain4j;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.obr.runtime.chat.ToolSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The tools of a request.
 *
 * @param forced whether one has to be called
 */
record RequestTools(ToolSet set, boolean forced) {
    static RequestTools of(ChatRequestParameters parameters) {
        List<ToolSpecification> specifications = parameters.toolSpecifications();
        ToolChoice choice = parameters.toolChoice();
        if (choice == ToolChoice.REQUIRED && specifications.isEmpty()) {
            throw new InvalidRequestException("toolChoice is REQUIRED, but the request has no tools: add one.");
        }
        Map<String, JsonNode> tools = new LinkedHashMap<>();
        if (choice != ToolChoice.NONE) {
            specifications.forEach(tool -> tools.put(tool.name(), json(tool)));
        }
        return new RequestTools(new ToolSet(tools), choice == ToolChoice.REQUIRED);
    }

    boolean any() {
        return !set.tools().isEmpty();
    }

    Set<String> names() {
        return set.tools().keySet();
    }

    private static JsonNode json(ToolSpecification tool) {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("type", "function");
        ObjectNode function = json.putObject("function").put("name", tool.name());
        if (tool.description() != null) {
            function.put("description", tool.description());
        }
        if (tool.parameters() == null) {
            function.putObject("parameters").put("type", "object").put("additionalProperties", false);
        } else {
            function.set("parameters", Schemas.json(tool.parameters()));
        }
        return json;
    }
}
