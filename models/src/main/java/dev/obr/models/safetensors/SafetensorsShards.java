package dev.obr.models.safetensors;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** A model in several safetensors files, with an index ({@code model.safetensors.index.json}) that says which holds which tensor. */
public final class SafetensorsShards {
    private SafetensorsShards() {}

    /**
     * Maps all files that the index names, which must lie beside it.
     *
     * @return the tensors that the index lists, in its order
     */
    public static Map<String, SafetensorsTensor> map(Path index, Arena arena) {
        JsonFile json = JsonFile.read(index);
        JsonFile weightMap = json.object("weight_map");
        if (weightMap == null) {
            throw new ObrException(index + " has no weight_map; download the file again");
        }
        Map<String, SafetensorsFile> shards = new HashMap<>();
        Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : weightMap.root().properties()) {
            String name = field.getKey();
            String file = fileName(index, name, field.getValue());
            SafetensorsFile shard = shards.get(file);
            if (shard == null) {
                shard = SafetensorsFile.map(existing(index, file), arena);
                shards.put(file, shard);
            }
            SafetensorsTensor tensor = shard.tensors().get(name);
            if (tensor == null) {
                throw new ObrException(index + " places tensor " + Excerpt.of(name) + " in " + file
                        + ", but that file does not hold it; download both again");
            }
            tensors.put(name, tensor);
        }
        return tensors;
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
