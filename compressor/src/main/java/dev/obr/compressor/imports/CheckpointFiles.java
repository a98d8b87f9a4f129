package dev.obr.compressor.imports;

import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsShards;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.torch.TorchFile;
import dev.obr.models.torch.TorchShards;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Finds and maps the files of a checkpoint, in the order in which the published loader looks for them. */
final class CheckpointFiles {
    private static final List<String> NAMES = List.of(
            "pytorch_model.bin", "model.safetensors", "pytorch_model.bin.index.json", "model.safetensors.index.json");

    private CheckpointFiles() {}

    /**
     * All tensors by the names that the files give them, in file order; each is looked at when it is asked for.
     *
     * @param in a folder, or a file: {@code .safetensors}, or else what {@code torch.save} writes
     * @param arena owns the mapped files
     */
    static Map<String, Supplier<Weight>> map(Path in, Arena arena) {
        Path file = Files.isDirectory(in) ? weightsFile(in) : in;
        String name = file.toString();
        if (name.endsWith(".safetensors.index.json")) {
            return safetensors(SafetensorsShards.map(file, arena));
        }
        if (name.endsWith(".safetensors")) {
            return safetensors(SafetensorsFile.map(file, arena).tensors());
        }
        Map<String, Supplier<Weight>> tensors = new LinkedHashMap<>();
        if (name.endsWith(".index.json")) {
            TorchShards.map(file, arena).forEach((tensor, shard) -> tensors.put(tensor, () -> shard.weight(tensor)));
        } else {
            TorchFile torch = TorchFile.map(file, arena);
            torch.names().forEach(tensor -> tensors.put(tensor, () -> torch.weight(tensor)));
        }
        return tensors;
    }

    private static Map<String, Supplier<Weight>> safetensors(Map<String, SafetensorsTensor> read) {
        Map<String, Supplier<Weight>> tensors = new LinkedHashMap<>();
        read.forEach((name, tensor) -> tensors.put(name, tensor::weight));
        return tensors;
    }

    private static Path weightsFile(Path folder) {
        return NAMES.stream()
                .map(folder::resolve)
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new ObrException(
                        folder + " has none of " + String.join(", ", NAMES) + "; download the checkpoint's weights"));
    }
}
