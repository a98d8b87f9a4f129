package dev.obr.models.chat;

import dev.obr.models.chat.ChatMessage.Role;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Llama 3: {@code <|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>}. From 3.1 on every conversation has a system turn, which begins with two dates.
 *
 * @param bos the beginning-of-sequence token
 * @param today the date of that system turn, or null where there is none (3.0)
 */
record Llama3(String bos, @Nullable String today) implements ChatFormat {
    private static final String END = "<|eot_id|>";
    private static final Pattern FIXED_DATE = Pattern.compile("date_string = '([^']+)'");

    /**
     * Reads a template whose double quotes are single ones and whose escaped line ends are real.
     *
     * @param now the date where the template asks for the current one
     * @return null where it writes a system text of its own other than the dates
     */
    static @Nullable Llama3 read(String template, String bos, LocalDate now) {
        if (!template.contains("message['role'] + '<|end_header_id|>\n\n'") || !template.contains(END)) {
            return null;
        }
        if (!template.contains("system<|end_header_id|>")) {
            return new Llama3(bos, null);
        }
        if (!template.contains("'Cutting Knowledge Date: December 2023\n'")
                || !template.contains("'Today Date: ' + date_string")) {
            return null;
        }
        Matcher fixed = FIXED_DATE.matcher(template);
        boolean current = template.contains("strftime_now") || !fixed.find();
        String date = DateTimeFormatter.ofPattern("dd MMM yyyy", Locale.ENGLISH).format(now);
        return new Llama3(bos, current ? date : fixed.group(1));
    }

    @Override
    public String name() {
        return "llama-3";
    }

    @Override
    public String prompt(List<ChatMessage> messages) {
        StringBuilder prompt = new StringBuilder(bos);
        List<ChatMessage> turns = messages;
        if (today != null) {
            boolean system = !messages.isEmpty() && messages.get(0).role() == Role.SYSTEM;
            String dates = "Cutting Knowledge Date: December 2023\nToday Date: " + today + "\n\n";
            turn(
                    prompt,
                    Role.SYSTEM,
                    dates + (system ? Turns.trim(messages.get(0).content()) : ""));
            turns = system ? messages.subList(1, messages.size()) : messages;
        }
        for (ChatMessage message : turns) {
            turn(prompt, message.role(), Turns.trim(message.content()));
        }
        return prompt.append("<|start_header_id|>assistant<|end_header_id|>\n\n")
                .toString();
    }

    private static void turn(StringBuilder prompt, Role role, String content) {
        prompt.append("<|start_header_id|>").append(role.label()).append("<|end_header_id|>\n\n");
        prompt.append(content).append(END);
    }

    @Override
    public List<String> endOfTurn() {
        return List.of(END);
    }
}
