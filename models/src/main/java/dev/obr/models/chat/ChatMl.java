package dev.obr.models.chat;

import dev.obr.models.chat.ChatMessage.Role;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * ChatML (Qwen, SmolLM): {@code <|im_start|>role\ncontent<|im_end|>\n}.
 *
 * @param bos what the template puts before everything; "" for nothing
 * @param defaultSystem the system line of a conversation that has none of its own, or null
 * @param dropsThoughts whether the assistant's earlier turns lose what stands before {@code </think>} (Qwen3)
 */
record ChatMl(String bos, @Nullable String defaultSystem, boolean dropsThoughts) implements ChatFormat {
    private static final String END = "<|im_end|>";

    // The line between the two markers, which is text where the template itself speaks and code ('...' + content +
    // '...') where it quotes the user.
    private static final Pattern DEFAULT_SYSTEM = Pattern.compile("<\\|im_start\\|>system\\n([^{}<>+]+)<\\|im_end\\|>");

    /**
     * Reads a template whose double quotes are single ones and whose escaped line ends are real.
     *
     * @return null where it writes more than turns: dates, or thoughts that the assistant has to begin with
     */
    static @Nullable ChatMl read(String template, String bos) {
        int opening = template.lastIndexOf("add_generation_prompt");
        String lastTurn = opening < 0 ? "" : template.substring(opening).replace("<think>\n\n</think>", "");
        if (!lastTurn.contains("'<|im_start|>assistant\n'")
                || lastTurn.contains("<think>")
                || !template.contains(END)
                || template.contains("strftime_now")
                || template.contains("Knowledge Cutoff")) {
            return null;
        }
        Matcher system = DEFAULT_SYSTEM.matcher(template);
        return new ChatMl(
                bos, system.find() ? system.group(1).replace("\\'", "'") : null, template.contains("</think>"));
    }

    @Override
    public String name() {
        return "chatml";
    }

    @Override
    public String prompt(List<ChatMessage> messages) {
        StringBuilder prompt = new StringBuilder(bos);
        if (defaultSystem != null && (messages.isEmpty() || messages.get(0).role() != Role.SYSTEM)) {
            turn(prompt, Role.SYSTEM, defaultSystem);
        }
        for (ChatMessage message : messages) {
            turn(prompt, message.role(), content(message));
        }
        return prompt.append("<|im_start|>assistant\n").toString();
    }

    private String content(ChatMessage message) {
        int thoughts = message.content().lastIndexOf("</think>");
        if (!dropsThoughts || message.role() != Role.ASSISTANT || thoughts < 0) {
            return message.content();
        }
        int start = thoughts + "</think>".length();
        while (start < message.content().length() && message.content().charAt(start) == '\n') {
            start++;
        }
        return message.content().substring(start);
    }

    private static void turn(StringBuilder prompt, Role role, String content) {
        prompt.append("<|im_start|>").append(role.label()).append('\n');
        prompt.append(content).append(END).append('\n');
    }

    @Override
    public List<String> endOfTurn() {
        return List.of(END);
    }
}
