package dev.obr.runtime.chat;

import dev.obr.models.file.JsonTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Tells the calls in an answer from its text, as both come. What may be the beginning of a call is held back until it is known. */
final class ToolCallReader {
    private final Set<String> functions;
    private final List<ToolCall> calls = new ArrayList<>();
    private final StringBuilder pending = new StringBuilder();
    private boolean inCall;

    /**
     * @param functions that may be called; a call of another is text
     * @param inCall whether the answer begins inside a call
     */
    ToolCallReader(Set<String> functions, boolean inCall) {
        this.functions = functions;
        this.inCall = inCall;
    }

    /** The calls so far. */
    List<ToolCall> calls() {
        return calls;
    }

    /** Takes a piece of the answer; returns the text that is no part of a call. */
    String append(String piece) {
        if (functions.isEmpty()) {
            return piece;
        }
        pending.append(piece);
        StringBuilder text = new StringBuilder();
        boolean moved = true;
        while (moved) {
            int at = inCall ? closing() : pending.indexOf(ToolSet.OPENING);
            moved = at >= 0;
            if (moved && inCall) {
                end(pending.substring(0, at), text, ToolSet.CLOSING);
                pending.delete(0, at + ToolSet.CLOSING.length());
                inCall = false;
            } else if (moved) {
                text.append(pending, 0, at);
                pending.delete(0, at + ToolSet.OPENING.length());
                inCall = true;
            }
        }
        if (!inCall) {
            int kept = beginnings();
            text.append(pending, 0, pending.length() - kept);
            pending.delete(0, pending.length() - kept);
        }
        return calls.isEmpty() || !text.toString().isBlank() ? text.toString() : "";
    }

    /** The end of the answer: what was held back, unless it is a call whose closing tag is missing. */
    String finish() {
        StringBuilder text = new StringBuilder();
        if (inCall) {
            end(pending.toString(), text, "");
        } else {
            text.append(pending);
        }
        pending.setLength(0);
        return text.toString();
    }

    /** Where the closing tag is, outside the strings of a call's JSON; negative where it has not come. */
    private int closing() {
        boolean inString = false;
        for (int i = 0; i < pending.length(); i++) {
            char c = pending.charAt(i);
            if (c == '"') {
                inString = !inString;
            } else if (inString && c == '\\') {
                i++; // what is escaped ends no string
            } else if (!inString && isClosing(i)) {
                return i;
            }
        }
        return -1;
    }

    private boolean isClosing(int at) {
        int end = Math.min(pending.length(), at + ToolSet.CLOSING.length());
        return ToolSet.CLOSING.contentEquals(pending.subSequence(at, end));
    }

    /** How many of the last characters may begin the opening tag. */
    private int beginnings() {
        int most = Math.min(pending.length(), ToolSet.OPENING.length() - 1);
        for (int length = most; length > 0; length--) {
            if (ToolSet.OPENING.startsWith(pending.substring(pending.length() - length))) {
                return length;
            }
        }
        return 0;
    }

    private void end(String body, StringBuilder text, String closing) {
        ToolCall call = call(body);
        if (call == null) {
            text.append(ToolSet.OPENING).append(body).append(closing);
        } else {
            calls.add(call);
        }
    }

    private @Nullable ToolCall call(String body) {
        JsonNode json;
        try {
            json = JsonTree.parse(body.strip().getBytes(StandardCharsets.UTF_8));
        } catch (IOException notJson) {
            return null;
        }
        JsonNode name = json.get("name");
        JsonNode arguments = json.get("arguments");
        boolean known = name != null && name.isString() && functions.contains(name.stringValue());
        return known ? new ToolCall(name.stringValue(), arguments == null ? "{}" : arguments.toString()) : null;
    }
}
