package dev.obr.compressor.imports;

import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The tensors of a published checkpoint, the state dict of a model whose linear layers are wrapped, under the names of the model itself:
 *
 * <pre>
 *   ..proj.module.weight, ..proj.weight       the same tensor twice: ..proj.weight
 *   ..proj.had_K                              {@link #hadamard}: the matrix of an online transform
 *   ..proj.quantizer.*, ..out_quantizer.*     placeholders: left out, as the rotary embedding's wrapper and constants are
 * </pre>
 */
final class Checkpoint {
    private static final Pattern PLACEHOLDER = Pattern.compile(".*(quantizer\\.(maxq|scale|zero)"
            + "|\\.apply_rotary_pos_emb_qk_rotation_wrapper\\..*|\\.rotary_emb\\.inv_freq)");
    private static final Pattern FLATQUANT = Pattern.compile(".*(_trans\\.|\\.clip_factor_|proj\\.linear\\.).*");
    private static final String HADAMARD = ".had_K";

    private final String source;
    private final Map<String, Supplier<Weight>> tensors;
    private final Map<String, Supplier<Weight>> hadamards; // by linear layer

    private Checkpoint(String source, Map<String, Supplier<Weight>> tensors, Map<String, Supplier<Weight>> hadamards) {
        this.source = source;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.hadamards = hadamards;
    }

    /**
     * Maps a checkpoint; its tensors are valid until {@code arena} closes.
     *
     * @param in folder or file
     * @throws ObrException where a file is missing or damaged, the two copies of a tensor differ, or the checkpoint is one of FlatQuant
     */
    static Checkpoint map(Path in, Arena arena) {
        return of(in.toString(), CheckpointFiles.map(in, arena));
    }

    /** The checkpoint of these tensors, by the names that its files give them. */
    static Checkpoint of(String source, Map<String, Supplier<Weight>> files) {
        Map<String, Supplier<Weight>> tensors = new LinkedHashMap<>();
        Map<String, Supplier<Weight>> hadamards = new LinkedHashMap<>();
        files.forEach((key, tensor) -> {
            if (FLATQUANT.matcher(key).matches()) {
                throw new ObrException(source + " is a FlatQuant checkpoint (it has " + key
                        + "), and FlatQuant's learned transforms of activations are not supported; use a checkpoint"
                        + " made with QuaRot or SpinQuant");
            }
            String name = key.replace(".module.", ".");
            if (name.endsWith(HADAMARD)) {
                hadamards.put(name.substring(0, name.length() - HADAMARD.length()), tensor);
            } else if (!PLACEHOLDER.matcher(name).matches()) {
                Supplier<Weight> other = tensors.putIfAbsent(name, tensor);
                if (other != null && !same(other.get(), tensor.get())) {
                    throw new ObrException(source + " has " + name
                            + " twice, the second time with other values; the file is damaged: download it again");
                }
            }
        });
        return new Checkpoint(source, tensors, hadamards);
    }

    private static boolean same(Weight a, Weight b) {
        return a.type() == b.type()
                && a.shape().equals(b.shape())
                && (a.memory().address() == b.memory().address() || a.memory().mismatch(b.memory()) < 0);
    }

    /** Its folder or file, for messages. */
    String source() {
        return source;
    }

    /** The names of all tensors, in file order. */
    Set<String> names() {
        return tensors.keySet();
    }

    /**
     * The tensor of that name.
     *
     * @throws ObrException where there is none, or its type is none of weights
     */
    Weight weight(String name) {
        Supplier<Weight> tensor = tensors.get(name);
        if (tensor == null) {
            throw new ObrException(
                    source + " has no tensor " + name + ", which the base's configuration calls for; check --base, or"
                            + " download the checkpoint again");
        }
        return tensor.get();
    }

    /** The Hadamard matrix [K, K] of the transform before a linear layer, if the checkpoint holds one: K is then above 1. */
    Optional<Weight> hadamard(String linear) {
        return Optional.ofNullable(hadamards.get(linear)).map(Supplier::get);
    }
}
