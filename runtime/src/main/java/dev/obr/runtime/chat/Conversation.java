package dev.obr.runtime.chat;

import dev.obr.models.chat.ChatMessage;
import dev.obr.models.chat.ChatMessage.Role;
import java.util.ArrayList;
import java.util.List;

/** Messages as turns that every chat format can write: calls are part of what the assistant says, and what functions gave is told by the user. */
public final class Conversation {
    private final List<ChatMessage> turns = new ArrayList<>();
    private boolean afterResult;

    public void system(String text) {
        add(ChatMessage.system(text));
    }

    public void user(String text) {
        add(ChatMessage.user(text));
    }

    /** What the assistant said and which functions it called. */
    public void assistant(String text, List<ToolCall> calls) {
        StringBuilder turn = new StringBuilder(text);
        for (ToolCall call : calls) {
            turn.append(turn.isEmpty() ? "" : "\n").append(ToolSet.written(call));
        }
        add(ChatMessage.assistant(turn.toString()));
    }

    /** What a function gave; the results of several calls are one turn. */
    public void result(String text) {
        String before = afterResult ? turns.removeLast().content() + "\n" : "";
        add(ChatMessage.user(before + "<tool_response>\n" + text + "\n</tool_response>"));
        afterResult = true;
    }

    private void add(ChatMessage turn) {
        turns.add(turn);
        afterResult = false;
    }

    /** The turns so far. */
    public List<ChatMessage> turns() {
        return List.copyOf(turns);
    }

    /** The turns so far, with functions told of in the system's. */
    public List<ChatMessage> turns(ToolSet tools) {
        List<ChatMessage> told = new ArrayList<>(turns);
        boolean system = !told.isEmpty() && told.getFirst().role() == Role.SYSTEM;
        String before = system ? told.removeFirst().content() + "\n\n" : "";
        told.addFirst(ChatMessage.system(before + tools.description()));
        return told;
    }
}
