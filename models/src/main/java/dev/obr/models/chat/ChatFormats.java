package dev.obr.models.chat;

import dev.obr.models.tokenizer.Tokenizer;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/** Recognises a model's chat format in its own template, whose text is never executed. */
public final class ChatFormats {
    private ChatFormats() {}

    /**
     * The chat format of a model.
     *
     * @param chatTemplate the Jinja template of {@code tokenizer_config.json} or {@code tokenizer.chat_template}, or null where the model has none
     * @param architecture as in {@link dev.obr.models.ModelConfig#architecture()}, for messages
     * @param tokenizer the model's, which knows the tokens that end a turn
     * @return null where there is no template: a base model, even if its vocabulary reserves chat tokens. A template of an unknown family gives a format whose every use is an error
     *     that says so; the model still generates text.
     */
    public static @Nullable ChatFormat detect(@Nullable String chatTemplate, String architecture, Tokenizer tokenizer) {
        if (chatTemplate == null || chatTemplate.isBlank()) {
            return null;
        }
        ChatFormat format = recognise(chatTemplate, tokenizer);
        if (format == null) {
            return new UnsupportedFormat("the chat template of this " + architecture
                    + " model is of an unknown family; known are ChatML, Llama 2, Llama 3, Mistral and Zephyr");
        }
        for (String piece : format.endOfTurn()) {
            if (tokenizer.id(piece) < 0) {
                return new UnsupportedFormat("the chat template of this " + architecture + " model (" + format.name()
                        + ") ends turns with " + piece + ", which is no token of its vocabulary");
            }
        }
        return format;
    }

    private static @Nullable ChatFormat recognise(String template, Tokenizer tokenizer) {
        String text = template.replace('"', '\'').replace("\\n", "\n");
        String eos = tokenizer.id("</s>") < 0 && tokenizer.id("<|endoftext|>") >= 0 ? "<|endoftext|>" : "</s>";
        if (text.contains("<|im_start|>")) {
            return ChatMl.read(text, text.contains("bos_token") ? bos(tokenizer, "") : "");
        }
        if (text.contains("<|start_header_id|>")) {
            return Llama3.read(text, bos(tokenizer, "<|begin_of_text|>"), LocalDate.now());
        }
        if (text.contains("<<SYS>>")) {
            return Llama2.read(text, bos(tokenizer, "<s>"), eos);
        }
        if (text.contains("[INST]")) {
            return Mistral.read(text, bos(tokenizer, "<s>"), eos);
        }
        return Zephyr.read(text, eos);
    }

    /** The token that the tokenizer itself puts before a text, or {@code otherwise}. */
    private static String bos(Tokenizer tokenizer, String otherwise) {
        int[] empty = tokenizer.encode("", true);
        return empty.length > 0 ? tokenizer.piece(empty[0]) : otherwise;
    }
}
