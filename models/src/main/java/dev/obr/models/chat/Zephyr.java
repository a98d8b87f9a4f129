package dev.obr.models.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Zephyr (TinyLlama): {@code <|user|>\ncontent</s>\n}.
 *
 * @param eos ends every turn
 */
record Zephyr(String eos) implements ChatFormat {
    /**
     * Reads a template whose double quotes are single ones and whose escaped line ends are real.
     *
     * @return null where turns end otherwise
     */
    static @Nullable Zephyr read(String template, String eos) {
        boolean known = template.contains("'<|user|>\n' + message['content'] + eos_token")
                && template.contains("'<|assistant|>'");
        return known ? new Zephyr(eos) : null;
    }

    @Override
    public String name() {
        return "zephyr";
    }

    @Override
    public String prompt(List<ChatMessage> messages) {
        StringBuilder prompt = new StringBuilder();
        for (ChatMessage message : messages) {
            prompt.append("<|").append(message.role().label()).append("|>\n");
            prompt.append(message.content()).append(eos).append('\n');
        }
        return prompt.append("<|assistant|>\n").toString();
    }

    @Override
    public List<String> endOfTurn() {
        return List.of(eos);
    }
}
