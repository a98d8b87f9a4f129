package dev.obr.models.chat;

import java.util.List;

/**
 * Zephyr (TinyLlama): {@code <|user|>\ncontent</s>\n}.
 *
 * @param eos ends every turn
 */
record Zephyr(String eos) implements ChatFormat {
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
