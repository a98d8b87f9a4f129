package dev.obr.models.huggingface;

import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.file.FolderName;
import dev.obr.models.file.JsonFile;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsShards;
import dev.obr.models.safetensors.SafetensorsTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Opens a model in the Hugging Face layout: config.json, tokenizer.json and one or several safetensors files in one folder. */
public final class HuggingFaceFolder {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private HuggingFaceFolder() {}

    /**
     * Opens the model in {@code folder}; its weights stay in the memory-mapped files.
     *
     * @throws ObrException naming the file that is missing, damaged or needs what is not implemented
     */
    public static Model open(Path folder) {
        return open(folder, weightsFile(folder));
    }

    /**
     * Opens the model whose weights are in {@code weights}: a safetensors file or the index of several.
     *
     * @param folder holds all other files
     */
    public static Model open(Path folder, Path weights) {
        Arena arena = Arena.ofShared();
        try {
            return read(folder, weights, arena).assemble(arena);
        } catch (RuntimeException | Error failure) {
            arena.close();
            throw failure;
        }
    }

    private static HuggingFaceModel read(Path folder, Path weights, Arena arena) {
        JsonFile config = JsonFile.read(existing(folder, "config.json", ""));
        boolean hasSentencePiece = Files.exists(folder.resolve("tokenizer.model"));
        Path tokenizer = existing(
                folder,
                "tokenizer.json",
                hasSentencePiece ? " (only tokenizer.model; save the tokenizer with transformers to get it)" : "");
        Path template = folder.resolve("chat_template.jinja");
        Map<String, SafetensorsTensor> tensors = weights.toString().endsWith(".index.json")
                ? SafetensorsShards.map(weights, arena)
                : SafetensorsFile.map(weights, arena).tensors();
        return new HuggingFaceModel(
                FolderName.of(folder),
                folder.toString(),
                config,
                optional(folder.resolve("generation_config.json")),
                JsonFile.readBytes(tokenizer),
                optional(folder.resolve("tokenizer_config.json")),
                Files.exists(template) ? new String(JsonFile.readBytes(template), StandardCharsets.UTF_8) : null,
                tensors);
    }

    /** As transformers chooses: model.safetensors, then the index; otherwise the only safetensors file there is. */
    private static Path weightsFile(Path folder) {
        for (String name : List.of(SINGLE, INDEX)) {
            if (Files.exists(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        List<Path> others = safetensorsFiles(folder);
        if (others.isEmpty()) {
            throw new ObrException(folder + " has neither " + SINGLE + " nor " + INDEX + "; download the weights too");
        }
        if (others.size() > 1) {
            throw new ObrException(folder + " has " + others.size() + " safetensors files but no " + INDEX
                    + "; download the index, or name one file: "
                    + others.getFirst().getFileName());
        }
        return others.getFirst();
    }

    /** The safetensors files of a folder, by name. */
    public static List<Path> safetensorsFiles(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
        } catch (IOException failure) {
            throw new ObrException(folder + " cannot be listed: " + failure.getMessage(), failure);
        }
    }

    private static Path existing(Path folder, String name, String detail) {
        Path file = folder.resolve(name);
        if (!Files.exists(file)) {
            throw new ObrException(folder + " has no " + name + detail + "; copy it from where the model came from");
        }
        return file;
    }

    private static @Nullable JsonFile optional(Path file) {
        return Files.exists(file) ? JsonFile.read(file) : null;
    }
}
