package dev.obr.models.file;

import dev.obr.kernels.ObrException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** The index of a model in several files ({@code model.safetensors.index.json}, {@code pytorch_model.bin.index.json}): which file holds which tensor. */
public final class ShardIndex {
    private ShardIndex() {}

    /**
     * The file of each tensor by the tensor's name, in the index's order: all exist and lie beside the index.
     *
     * @throws ObrException where the index names a file elsewhere, or one that is missing
     */
    public static Map<String, Path> read(Path index) {
        JsonFile json = JsonFile.read(index);
        JsonFile weightMap = json.object("weight_map");
        if (weightMap == null) {
            throw new ObrException(index + " has no weight_map; download the file again");
        }
        Map<String, Path> files = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : weightMap.root().properties()) {
            files.put(field.getKey(), existing(index, fileName(index, field.getKey(), field.getValue())));
        }
        return files;
    }

    /** The error for a file that lacks a tensor that the index places there. */
    public static ObrException missing(Path index, String tensor, Path file) {
        return new ObrException(index + " places tensor " + Excerpt.of(tensor) + " in " + file.getFileName()
                + ", but that file does not hold it; download both again");
    }

    /** A plain name: an index from elsewhere must not reach out of its folder. */
    private static String fileName(Path index, String tensor, JsonNode value) {
        String file = value.isString() ? value.stringValue() : "";
        boolean plain = !file.isBlank()
                && file.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ')
                && !file.equals(".")
                && !file.equals("..");
        if (!plain) {
            throw new ObrException(index + " places tensor " + Excerpt.of(tensor) + " in " + JsonFile.shown(value)
                    + ", but only the name of a file beside the index is allowed; correct the index");
        }
        return file;
    }

    private static Path existing(Path index, String file) {
        Path path;
        try {
            path = index.resolveSibling(file);
        } catch (InvalidPathException unwritable) {
            throw new ObrException(
                    index + " names the file " + file + ", which this system can't open; rename it in both",
                    unwritable);
        }
        if (!Files.exists(path)) {
            throw new ObrException(index + " names " + file + ", which is missing beside it; download it too");
        }
        return path;
    }
}
