package dev.obr.server;

import dev.obr.models.chat.ChatMessage;
import dev.obr.models.chat.ChatMessage.Role;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code messages} of a chat request as turns that every chat format can write: what functions gave is told by the user. */
final class ChatTurns {
    private ChatTurns() {}

    static List<ChatMessage> of(Fields body, Tools tools) {
        List<Fields> messages = body.children("messages");
        if (messages.isEmpty()) {
            throw body.unusable("messages", "a list of at least one message");
        }
        List<ChatMessage> turns = new ArrayList<>();
        boolean afterTool = false;
        for (Fields message : messages) {
            String role = message.requiredText("role");
            boolean tool = role.equals("tool") || role.equals("function");
            ChatMessage turn = switch (role) {
                case "system", "developer" -> ChatMessage.system(content(message));
                case "user" -> ChatMessage.user(content(message));
                case "assistant" -> ChatMessage.assistant(answer(message));
                case "tool", "function" ->
                    ChatMessage.user("<tool_response>\n" + content(message) + "\n</tool_response>");
                default -> throw message.unusable("role", "system, developer, user, assistant or tool");
            };
            if (tool && afterTool) { // the results of several calls are one turn
                turn = ChatMessage.user(turns.removeLast().content() + "\n" + turn.content());
            }
            turns.add(turn);
            afterTool = tool;
        }
        if (tools.use()) {
            boolean system = turns.getFirst().role() == Role.SYSTEM;
            String before = system ? turns.removeFirst().content() + "\n\n" : "";
            turns.addFirst(ChatMessage.system(before + tools.description()));
        }
        return turns;
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

    /** What the assistant said and which functions it called, as it wrote it. */
    private static String answer(Fields message) {
        List<Fields> calls = message.children("tool_calls");
        StringBuilder text = new StringBuilder();
        String content = calls.isEmpty() ? content(message) : optionalContent(message);
        text.append(content == null ? "" : content);
        for (Fields call : calls) {
            Fields function = call.child("function");
            if (function == null) {
                throw call.unusable("function", "an object");
            }
            String arguments = function.text("arguments");
            text.append(text.isEmpty() ? "" : "\n").append(Tools.OPENING);
            text.append("\n{\"name\": ").append(Json.text(function.requiredText("name")));
            text.append(", \"arguments\": ").append(arguments == null ? "{}" : arguments);
            text.append("}\n").append(Tools.CLOSING);
        }
        return text.toString();
    }
}
