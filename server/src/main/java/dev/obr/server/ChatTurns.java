package dev.obr.server;

import dev.obr.models.chat.ChatMessage;
import dev.obr.runtime.chat.Conversation;
import dev.obr.runtime.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code messages} of a chat request as turns that every chat format can write. */
final class ChatTurns {
    private ChatTurns() {}

    static List<ChatMessage> of(Fields body, Tools tools) {
        List<Fields> messages = body.children("messages");
        if (messages.isEmpty()) {
            throw body.unusable("messages", "a list of at least one message");
        }
        Conversation conversation = new Conversation();
        for (Fields message : messages) {
            switch (message.requiredText("role")) {
                case "system", "developer" -> conversation.system(content(message));
                case "user" -> conversation.user(content(message));
                case "assistant" -> conversation.assistant(said(message), calls(message));
                case "tool", "function" -> conversation.result(content(message));
                default -> throw message.unusable("role", "system, developer, user, assistant or tool");
            }
        }
        return tools.use() ? conversation.turns(tools.told()) : conversation.turns();
    }

    /** A text, or the texts of a list of parts. */
    private static String content(Fields message) {
        String text = optionalContent(message);
        if (text == null) {
            throw message.unusable("content", "a string or a list of parts");
        }
        return text;
    }

    private static @Nullable String optionalContent(Fields message) {
        JsonNode content = message.get("content");
        if (content == null || content.isString()) {
            return message.text("content");
        }
        StringBuilder text = new StringBuilder();
        for (Fields part : message.children("content")) {
            if (!part.requiredText("type").equals("text")) {
                throw part.unusable("type", "text: this model reads nothing else");
            }
            text.append(part.requiredText("text"));
        }
        return text.toString();
    }

    /** What the assistant said, which may be nothing where it called. */
    private static String said(Fields message) {
        String content = message.children("tool_calls").isEmpty() ? content(message) : optionalContent(message);
        return content == null ? "" : content;
    }

    private static List<ToolCall> calls(Fields message) {
        List<ToolCall> calls = new ArrayList<>();
        for (Fields call : message.children("tool_calls")) {
            Fields function = call.child("function");
            if (function == null) {
                throw call.unusable("function", "an object");
            }
            String arguments = function.text("arguments");
            calls.add(new ToolCall(function.requiredText("name"), arguments == null ? "{}" : arguments));
        }
        return calls;
    }
}
