package dev.obr.models.chat;

import dev.obr.kernels.ObrException;
import dev.obr.models.chat.ChatMessage.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A conversation as the {@code [INST]} formats see it.
 *
 * @param system the system text, or null
 * @param alternating user, assistant, user, ..., user
 */
record Turns(@Nullable String system, List<ChatMessage> alternating) {
    /** @throws ObrException where the turns don't alternate or the last is not the user's */
    static Turns of(List<ChatMessage> messages, String format) {
        boolean system = !messages.isEmpty() && messages.get(0).role() == Role.SYSTEM;
        List<ChatMessage> turns = system ? messages.subList(1, messages.size()) : messages;
        for (int i = 0; i < turns.size(); i++) {
            Role expected = i % 2 == 0 ? Role.USER : Role.ASSISTANT;
            if (turns.get(i).role() != expected) {
                throw new ObrException("message " + (i + 1) + " of the conversation is the "
                        + turns.get(i).role().label() + "'s, but the format " + format
                        + " wants user and assistant in turn"
                        + " after one optional system message");
            }
        }
        if (turns.size() % 2 == 0) {
            throw new ObrException("the conversation does not end with a user message, which the format " + format
                    + " needs; add one");
        }
        return new Turns(system ? messages.get(0).content() : null, turns);
    }

    /** {@code text} without the white space at both ends, as Python's {@code strip} and Jinja's {@code trim} see it. */
    static String trim(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }
}
