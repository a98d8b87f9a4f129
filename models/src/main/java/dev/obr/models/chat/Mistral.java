package dev.obr.models.chat;

import dev.obr.models.chat.ChatMessage.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Mistral: {@code <s>[INST] user [/INST]assistant</s>}, whose spaces changed from one release to the next. A system text stands before a user's text, two line ends between them.
 *
 * @param bos the beginning-of-sequence token, once
 * @param eos ends the assistant's turns
 * @param release whose spaces
 * @param spaceAfterEos whether a space follows {@code eos} (the first template of 0.1)
 */
record Mistral(String bos, String eos, Release release, boolean spaceAfterEos) implements ChatFormat {
    /** How releases write turns, and which user turn carries the system text. */
    enum Release {
        V1("[INST] ", " [/INST]", "", false),
        V2(" [INST] ", " [/INST]", " ", false),
        V3("[INST] ", "[/INST]", " ", true);

        private final String beforeUser;
        private final String afterUser;
        private final String beforeAssistant;
        private final boolean systemLast;

        Release(String beforeUser, String afterUser, String beforeAssistant, boolean systemLast) {
            this.beforeUser = beforeUser;
            this.afterUser = afterUser;
            this.beforeAssistant = beforeAssistant;
            this.systemLast = systemLast;
        }
    }

    /**
     * Reads a template whose double quotes are single ones and whose escaped line ends are real.
     *
     * @return null where the spaces are those of another release, or the system text has markers of its own
     */
    static @Nullable Mistral read(String template, String bos, String eos) {
        boolean open = template.contains("' [/INST]'");
        Release release = null;
        if (template.contains("' [INST] '") && open) {
            release = Release.V2;
        } else if (template.contains("'[INST] '")) {
            release = open ? Release.V1 : template.contains("'[/INST]'") ? Release.V3 : null;
        }
        return release == null || template.contains("[SYSTEM_PROMPT]")
                ? null
                : new Mistral(bos, eos, release, template.contains("eos_token + ' '"));
    }

    @Override
    public String name() {
        return "mistral";
    }

    @Override
    public String prompt(List<ChatMessage> messages) {
        Turns turns = Turns.of(messages, name());
        List<ChatMessage> list = turns.alternating();
        int systemAt = release.systemLast ? list.size() - 1 : 0;
        StringBuilder prompt = new StringBuilder(bos);
        for (int i = 0; i < list.size(); i++) {
            String content = list.get(i).content();
            if (list.get(i).role() == Role.USER) {
                prompt.append(release.beforeUser);
                if (i == systemAt && turns.system() != null) {
                    prompt.append(turns.system()).append("\n\n");
                }
                prompt.append(content).append(release.afterUser);
            } else {
                prompt.append(release.beforeAssistant);
                prompt.append(release == Release.V3 ? Turns.trim(content) : content);
                prompt.append(eos).append(spaceAfterEos ? " " : "");
            }
        }
        return prompt.toString();
    }

    @Override
    public List<String> endOfTurn() {
        return List.of(eos);
    }
}
