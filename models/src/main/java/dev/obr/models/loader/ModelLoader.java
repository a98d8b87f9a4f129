package dev.obr.models.loader;

import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.file.MappedFile;
import dev.obr.models.gguf.GgufModel;
import dev.obr.models.huggingface.HuggingFaceFolder;
import dev.obr.models.packed.PackedModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Opens a model from a path, whatever its format: files are told apart by what they hold. */
public final class ModelLoader {
    private static final int HEAD_BYTES = 9; // a safetensors file has its header's length, then a brace

    private ModelLoader() {}

    /**
     * Opens a folder in the Hugging Face layout, a packed model's folder, a GGUF file, a folder with one GGUF file, or a safetensors file beside its config.json.
     *
     * @throws ObrException where nothing is there, it is no model, or the model is damaged or needs what is not implemented
     */
    public static Model open(Path path) {
        if (!Files.exists(path)) {
            throw new ObrException(
                    path + " does not exist; give a folder with config.json and model.safetensors, or a GGUF file");
        }
        return Files.isDirectory(path) ? openFolder(path) : openFile(path);
    }

    private static Model openFolder(Path folder) {
        List<Path> files = list(folder);
        if (files.isEmpty()) {
            throw new ObrException(folder + " is empty; give a folder with config.json and model.safetensors");
        }
        if (!named(files, ".safetensors", ".safetensors.index.json").isEmpty()) {
            return PackedModel.isPacked(folder) ? PackedModel.open(folder) : HuggingFaceFolder.open(folder);
        }
        List<Path> ggufs = named(files, ".gguf");
        if (ggufs.size() == 1) {
            return GgufModel.open(ggufs.getFirst());
        }
        if (!ggufs.isEmpty()) {
            throw new ObrException(folder + " holds several GGUF files; name one of them: "
                    + ggufs.stream().map(file -> file.getFileName().toString()).collect(Collectors.joining(", ")));
        }
        List<Path> pickles = named(files, ".bin", ".pth", ".pt");
        if (!pickles.isEmpty()) {
            throw pytorch(pickles.getFirst());
        }
        throw new ObrException(folder + " holds neither safetensors nor GGUF files"
                + (Files.exists(folder.resolve("config.json")) ? " beside its config.json" : "")
                + "; give a folder with config.json and model.safetensors, or a GGUF file");
    }

    private static Model openFile(Path file) {
        byte[] head = head(file);
        String start = new String(head, StandardCharsets.ISO_8859_1);
        String name = file.toString();
        if (start.startsWith("GGUF")) {
            return GgufModel.open(file);
        }
        if (head.length == HEAD_BYTES && head[8] == '{' || name.endsWith(".safetensors")) {
            return PackedModel.isPacked(parent(file))
                    ? PackedModel.open(parent(file))
                    : HuggingFaceFolder.open(parent(file), file);
        }
        if (name.endsWith(".gguf")) {
            return GgufModel.open(file); // and hear from it what is wrong
        }
        if (start.startsWith("PK\003\004") || start.startsWith("\u0080\002")) {
            throw pytorch(file);
        }
        if (start.startsWith("{")) {
            throw new ObrException(file + " describes a model but holds no weights; give its folder " + parent(file));
        }
        throw new ObrException(file
                + (head.length == 0
                        ? " is empty"
                        : " starts with the bytes " + HexFormat.of().formatHex(head))
                + " and is neither a GGUF nor a safetensors file; give one of these, or a model's folder");
    }

    private static ObrException pytorch(Path file) {
        return new ObrException(file + " holds weights in PyTorch's pickle format, which is not read because it can"
                + " run code; convert the model to safetensors with transformers: save_pretrained(folder)");
    }

    private static Path parent(Path file) {
        Path parent = file.getParent();
        return parent == null ? Path.of(".") : parent;
    }

    private static byte[] head(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(HEAD_BYTES);
        } catch (IOException failure) {
            throw new ObrException(MappedFile.cannotRead(file, failure), failure);
        }
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException failure) {
            throw new ObrException(MappedFile.cannotRead(folder, failure), failure);
        }
    }

    private static List<Path> named(List<Path> files, String... endings) {
        return files.stream()
                .filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
                .toList();
    }
}
