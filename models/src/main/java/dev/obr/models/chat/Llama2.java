package dev.obr.models.chat;

import dev.obr.models.chat.ChatMessage.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Llama 2: {@code <s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\nuser [/INST] assistant </s>}, with a beginning-of-sequence token before every user turn.
 *
 * @param bos the beginning-of-sequence token
 * @param eos ends the assistant's turns
 */
record Llama2(String bos, String eos) implements ChatFormat {
    /**
     * Reads a template whose double quotes are single ones and whose escaped line ends are real.
     *
     * @return null where it opens turns otherwise, or has a system text of its own
     */
    static @Nullable Llama2 read(String template, String bos, String eos) {
        boolean known = (template.contains("bos_token + '[INST] ' + content.strip()")
                        || template.contains("bos_token + '[INST] ' + content | trim"))
                && !template.contains("elif true == true");
        return known ? new Llama2(bos, eos) : null;
    }

    @Override
    public String name() {
        return "llama-2";
    }

    @Override
    public String prompt(List<ChatMessage> messages) {
        Turns turns = Turns.of(messages, name());
        String before = turns.system() == null ? "" : "<<SYS>>\n" + turns.system() + "\n<</SYS>>\n\n";
        StringBuilder prompt = new StringBuilder();
        for (ChatMessage turn : turns.alternating()) {
            if (turn.role() == Role.USER) {
                prompt.append(bos).append("[INST] ");
                prompt.append(Turns.trim(before + turn.content())).append(" [/INST]");
                before = "";
            } else {
                prompt.append(' ')
                        .append(Turns.trim(turn.content()))
                        .append(' ')
                        .append(eos);
            }
        }
        return prompt.toString();
    }

    @Override
    public List<String> endOfTurn() {
        return List.of(eos);
    }
}
