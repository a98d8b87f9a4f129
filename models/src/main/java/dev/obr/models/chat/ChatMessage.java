package dev.obr.models.chat;

import java.util.Locale;

/** One turn of a conversation. */
public record ChatMessage(Role role, String content) {
    /** Who speaks. */
    public enum Role {
        SYSTEM,
        USER,
        ASSISTANT;

        /** As chat templates write it: {@code system}, {@code user}, {@code assistant}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(Role.SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(Role.USER, content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(Role.ASSISTANT, content);
    }
}
