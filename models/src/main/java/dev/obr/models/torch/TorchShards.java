package dev.obr.models.torch;

import dev.obr.models.file.ShardIndex;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A model in several torch files, with an index ({@code pytorch_model.bin.index.json}) that says which holds which tensor. */
public final class TorchShards {
    private TorchShards() {}

    /**
     * Maps all files that the index names, which must lie beside it.
     *
     * @return the file that holds it for each tensor that the index lists, in its order
     */
    public static Map<String, TorchFile> map(Path index, Arena arena) {
        Map<Path, TorchFile> shards = new HashMap<>();
        Map<String, TorchFile> tensors = new LinkedHashMap<>();
        ShardIndex.read(index).forEach((name, file) -> {
            TorchFile shard = shards.computeIfAbsent(file, path -> TorchFile.map(path, arena));
            if (!shard.names().contains(name)) {
                throw ShardIndex.missing(index, name, file);
            }
            tensors.put(name, shard);
        });
        return tensors;
    }
}
