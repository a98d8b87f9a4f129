package dev.obr.compressor.imports;

import dev.obr.compressor.rotation.Projection;
import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.Weight;
import dev.obr.models.file.JsonFile;
import dev.obr.models.huggingface.HuggingFaceConfig;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint seen as the model that it holds: checked against the base's configuration, its rotation known.
 *
 * @param checkpoint its tensors
 * @param config the base's, with the checkpoint's epsilon, and tied only if the checkpoint has no head
 * @param bias which linear layers of the attention add one
 * @param rotation how it was rotated
 */
record ImportedModel(Checkpoint checkpoint, ModelConfig config, AttentionBias bias, RotationStyle rotation) {
    /**
     * Opens and checks a checkpoint.
     *
     * @param arena owns its mapped files
     */
    static ImportedModel open(ImportOptions options, Arena arena) {
        Path base = options.base();
        for (String file : List.of("config.json", "tokenizer.json")) {
            if (!Files.exists(base.resolve(file))) {
                throw new ObrException(base + " has no " + file
                        + "; give the folder of the model that the checkpoint was made from with --base");
            }
        }
        Path generation = base.resolve("generation_config.json");
        JsonFile configFile = JsonFile.read(base.resolve("config.json"));
        Checkpoint checkpoint = Checkpoint.map(options.in(), arena);
        ModelConfig read = HuggingFaceConfig.read(
                configFile,
                Files.exists(generation) ? JsonFile.read(generation) : null,
                checkpoint.names().contains(ExpectedWeights.HEAD));
        RotationStyle rotation = options.rotation() == null ? RotationStyle.of(checkpoint) : options.rotation();
        ImportedModel model = new ImportedModel(
                checkpoint,
                config(read, checkpoint, rotation, options.epsilon()),
                AttentionBias.among(checkpoint.names()),
                rotation);
        model.check(base);
        rotation.check(checkpoint, model.config);
        return model;
    }

    private static ModelConfig config(
            ModelConfig base, Checkpoint checkpoint, RotationStyle rotation, @Nullable Float epsilon) {
        boolean tied = base.tiedEmbeddings() && !checkpoint.names().contains(ExpectedWeights.HEAD);
        if (tied && rotation != RotationStyle.NONE) {
            // The head is rotated, so not the embedding: its absence is an error that names it.
            checkpoint.weight(ExpectedWeights.HEAD);
        }
        return new ModelConfig(
                base.architecture(),
                base.hiddenSize(),
                base.intermediateSize(),
                base.layers(),
                base.heads(),
                base.kvHeads(),
                base.headDim(),
                base.vocabularySize(),
                base.contextLength(),
                epsilon == null ? rotation.epsilon(base) : epsilon,
                base.ropeTheta(),
                base.ropeScaling(),
                tied,
                base.bosTokenId(),
                base.eosTokenIds());
    }

    /** Checks that the checkpoint has what the configuration calls for, and nothing that would be lost. */
    private void check(Path base) {
        Map<String, List<Integer>> shapes = new ExpectedWeights(config, bias).shapes();
        shapes.forEach((name, shape) -> {
            if (isDummy(name)) {
                return;
            }
            Weight weight = checkpoint.weight(name);
            if (RotationStyle.isFusedNorm(name) && weight.elements() == 1 && config.hiddenSize() > 1) {
                throw new ObrException(checkpoint.source() + ": norm " + name
                        + " is a dummy of one element, as only QuaRot's checkpoints have; leave --rotation away");
            }
            if (!weight.shape().equals(shape)) {
                throw new ObrException(checkpoint.source() + ": tensor " + name + " has shape " + weight.shape()
                        + ", but " + base.resolve("config.json") + " calls for " + shape
                        + "; --base must be the model that the checkpoint was made from");
            }
        });
        for (String name : checkpoint.names()) {
            if (!shapes.containsKey(name)) {
                throw new ObrException(checkpoint.source() + " has a tensor " + name + " that "
                        + base.resolve("config.json")
                        + " does not call for; --base must be the model that the checkpoint was made from");
            }
        }
    }

    /** Whether a tensor is a norm that QuaRot emptied: a single element, or nothing at all. */
    private boolean isDummy(String name) {
        return rotation == RotationStyle.QUAROT
                && RotationStyle.isFusedNorm(name)
                && (!checkpoint.names().contains(name)
                        || checkpoint.weight(name).elements() == 1);
    }

    /** The names of a decoder layer's linear weights, in the order in which they run. */
    List<String> linears(int layer) {
        return Arrays.stream(Projection.values())
                .map(projection -> "model.layers." + layer + "." + projection.path() + ".weight")
                .toList();
    }

    /** The names of a decoder layer's norms and biases. */
    List<String> vectors(int layer) {
        List<String> vectors = new ArrayList<>();
        new ExpectedWeights(config, bias).shapes().forEach((name, shape) -> {
            if (shape.size() == 1 && name.startsWith("model.layers." + layer + ".")) {
                vectors.add(name);
            }
        });
        return vectors;
    }

    /** The values of a norm or bias; ones where the norm's weights moved into the linear layers behind it. */
    float[] vector(String name) {
        if (isDummy(name)) {
            float[] ones = new float[config.hiddenSize()];
            Arrays.fill(ones, 1);
            return ones;
        }
        return CheckpointRows.vector(checkpoint.weight(name));
    }

    /** A tensor and its file, for messages. */
    String described(String name) {
        return checkpoint.source() + ": " + name;
    }

    /** The type of the linear layers, such as F16. */
    String storedAs() {
        return checkpoint.weight(linears(0).getFirst()).type().name();
    }
}
