package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.JsonFile;
import dev.obr.models.file.MappedFile;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.gguf.GgufFile;
import dev.obr.models.gguf.GgufVocabularyFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The small files that travel with a model's weights unchanged: tokenizer, chat template, generation defaults, licence. */
@FunctionalInterface
public interface CompanionFiles {
    /** The tokenizer of a model that came as GGUF. */
    String GGUF_TOKENIZER = "tokenizer.gguf";

    /** Those of a Hugging Face folder, so far as it has them. */
    List<String> NAMES = List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "generation_config.json",
            "LICENSE",
            "LICENSE.txt",
            "LICENSE.md",
            "NOTICE");

    /**
     * Writes all files into a folder.
     *
     * @throws ObrException where that fails
     */
    void writeTo(Path folder);

    /**
     * Those of the model at {@code path}, which may be all that {@link dev.obr.models.loader.ModelLoader} opens but a packed model. Nothing is read before they are written.
     */
    static CompanionFiles of(Path path) {
        return folder -> {
            Path source = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
            if (source != null && isHuggingFace(path)) {
                Map<String, byte[]> contents = new LinkedHashMap<>();
                for (String name : NAMES) {
                    if (Files.isRegularFile(source.resolve(name))) {
                        contents.put(name, JsonFile.readBytes(source.resolve(name)));
                    }
                }
                of(contents).writeTo(folder);
            } else {
                try (Arena arena = Arena.ofConfined()) {
                    GgufVocabularyFile.write(GgufFile.map(ggufFile(path), arena), folder.resolve(GGUF_TOKENIZER));
                }
            }
        };
    }

    /** Files of these names and contents. */
    static CompanionFiles of(Map<String, byte[]> contents) {
        return folder -> contents.forEach((name, bytes) -> AtomicFile.write(
                folder.resolve(name),
                out -> TensorBytes.of(MemorySegment.ofArray(bytes)).writeTo(out)));
    }

    private static boolean isHuggingFace(Path path) {
        return Files.isDirectory(path)
                ? Files.exists(path.resolve("tokenizer.json"))
                : path.toString().endsWith(".safetensors") || path.toString().endsWith(".safetensors.index.json");
    }

    private static Path ggufFile(Path path) {
        if (!Files.isDirectory(path)) {
            return path;
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElseThrow(() ->
                            new ObrException(path + " has neither tokenizer.json nor a GGUF file; give a whole model"));
        } catch (IOException failure) {
            throw new ObrException(MappedFile.cannotRead(path, failure), failure);
        }
    }
}
