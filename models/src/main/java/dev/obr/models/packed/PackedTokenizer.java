package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import dev.obr.models.gguf.GgufFile;
import dev.obr.models.huggingface.ChatTemplate;
import dev.obr.models.tokenizer.GgufTokenizer;
import dev.obr.models.tokenizer.HuggingFaceTokenizer;
import dev.obr.models.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a packed model's folder says about text: {@code tokenizer.json} and the files beside it, or {@code tokenizer.gguf}.
 *
 * @param chatTemplate null for a base model
 * @param generation {@code generation_config.json}, if there is one
 */
record PackedTokenizer(
        Tokenizer vocabulary,
        @Nullable String chatTemplate,
        @Nullable JsonFile generation) implements AutoCloseable {
    static PackedTokenizer read(Path folder) {
        JsonFile generation = optional(folder.resolve("generation_config.json"));
        Path json = folder.resolve("tokenizer.json");
        Path gguf = folder.resolve(CompanionFiles.GGUF_TOKENIZER);
        if (Files.exists(json)) {
            JsonFile settings = optional(folder.resolve("tokenizer_config.json"));
            Path template = folder.resolve("chat_template.jinja");
            String text = Files.exists(template)
                    ? new String(JsonFile.readBytes(template), StandardCharsets.UTF_8)
                    : ChatTemplate.in(settings);
            Tokenizer tokenizer = HuggingFaceTokenizer.load(
                    JsonFile.readBytes(json), settings == null ? null : settings.root(), json.toString());
            return new PackedTokenizer(tokenizer, text, generation);
        }
        if (Files.exists(gguf)) {
            try (Arena arena = Arena.ofConfined()) {
                Map<String, Object> metadata = GgufFile.map(gguf, arena).metadata();
                String text = metadata.get("tokenizer.chat_template") instanceof String template ? template : null;
                return new PackedTokenizer(GgufTokenizer.create(metadata, gguf.toString()), text, generation);
            }
        }
        throw new ObrException(folder + " has neither tokenizer.json nor " + CompanionFiles.GGUF_TOKENIZER
                + "; copy the one that came with the model");
    }

    private static @Nullable JsonFile optional(Path file) {
        return Files.exists(file) ? JsonFile.read(file) : null;
    }

    @Override
    public void close() {
        vocabulary.close();
    }
}
