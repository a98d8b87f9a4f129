package dev.obr.models.safetensors;

import dev.obr.models.file.ShardIndex;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A model in several safetensors files, with an index ({@code model.safetensors.index.json}) that says which holds which tensor. */
public final class SafetensorsShards {
    private SafetensorsShards() {}

    /**
     * Maps all files that the index names, which must lie beside it.
     *
     * @return the tensors that the index lists, in its order
     */
    public static Map<String, SafetensorsTensor> map(Path index, Arena arena) {
        Map<Path, SafetensorsFile> shards = new HashMap<>();
        Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
        ShardIndex.read(index).forEach((name, file) -> {
            SafetensorsTensor tensor = shards.computeIfAbsent(file, path -> SafetensorsFile.map(path, arena))
                    .tensors()
                    .get(name);
            if (tensor == null) {
                throw ShardIndex.missing(index, name, file);
            }
            tensors.put(name, tensor);
        });
        return tensors;
    }
}
