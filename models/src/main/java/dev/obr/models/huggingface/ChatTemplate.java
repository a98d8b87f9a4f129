package dev.obr.models.huggingface;

import dev.obr.models.file.JsonFile;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Where a Hugging Face model keeps its chat template. */
public final class ChatTemplate {
    private ChatTemplate() {}

    /**
     * The template in {@code tokenizer_config.json}: a string, or a list of named ones of which {@code default} is meant.
     *
     * @return null where there is none: a base model
     */
    public static @Nullable String in(@Nullable JsonFile tokenizerConfig) {
        JsonNode value = tokenizerConfig == null ? null : tokenizerConfig.find("chat_template");
        if (value == null) {
            return null;
        }
        if (value.isString()) {
            return value.stringValue();
        }
        for (JsonNode named : value) {
            JsonNode name = named.get("name");
            JsonNode template = named.get("template");
            if (name != null
                    && name.isString()
                    && name.stringValue().equals("default")
                    && template != null
                    && template.isString()) {
                return template.stringValue();
            }
        }
        return null;
    }
}
