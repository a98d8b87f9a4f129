package dev.obr.compressor;

import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.Weight;
import dev.obr.models.tokenizer.Tokenizer;
import dev.obr.runtime.cpu.CpuBackend;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Transformer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Models in float32 that no file holds, and the logits of any model. They borrow their tokenizer, so they are left to the garbage collector, not closed. */
public final class MemoryModel {
    private MemoryModel() {}

    /** Random weights of a trained model's magnitudes. */
    public static Model random(ModelConfig config, AttentionBias bias, Tokenizer tokenizer, long seed) {
        Random random = new Random(seed);
        Map<String, Matrix> tensors = new LinkedHashMap<>();
        new ExpectedWeights(config, bias).shapes().forEach((name, shape) -> {
            boolean vector = shape.size() == 1;
            Matrix tensor = Matrix.zeros(vector ? 1 : shape.getFirst(), shape.getLast());
            double deviation = name.endsWith("bias") ? 0.2 : vector ? 0.4 : 1 / Math.sqrt(shape.getLast());
            for (int i = 0; i < tensor.values().length; i++) {
                double mean = name.endsWith("norm.weight") ? 1 : 0;
                tensor.values()[i] = (float) (mean + deviation * random.nextGaussian());
            }
            tensors.put(name, tensor);
        });
        return of("random", config, tensors, tokenizer, null);
    }

    /** A model in another basis, as a packed model would be run but without any quantisation. */
    public static Model rotated(Model source, Rotation rotation, OnlineRotation online) {
        RotatedModel rotated = new RotatedModel(source, rotation);
        ModelConfig config = rotated.config();
        Map<String, Matrix> tensors = new LinkedHashMap<>();
        tensors.put("model.embed_tokens.weight", rotated.embedding(0, config.vocabularySize()));
        tensors.put("model.norm.weight", rotated.tensor("model.norm.weight"));
        if (!config.tiedEmbeddings()) {
            tensors.put("lm_head.weight", rotated.head(0, config.vocabularySize()));
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            tensors.putAll(rotated.layer(layer));
        }
        Quantization unquantised = new Quantization(
                Quantization.FORMAT_VERSION,
                4,
                Pattern.DENSE,
                Map.of(),
                0,
                "none",
                rotation.name(),
                online,
                16,
                ActivationClip.SEARCH,
                16,
                "nothing",
                0,
                "test");
        return of("rotated", config, tensors, source.tokenizer(), unquantised);
    }

    /** A model with the first value of one tensor replaced. */
    public static Model altered(Model source, String name, float value) {
        Map<String, Weight> weights = new LinkedHashMap<>(source.weights());
        Weight old = weights.get(name);
        if (old == null) {
            throw new IllegalArgumentException(source.name() + " has no tensor " + name);
        }
        WeightMatrix stored = old.shape().size() == 1 ? old.vector() : old.matrix();
        Matrix matrix = Matrix.zeros(stored.rows(), stored.cols());
        MemorySegment floats = MemorySegment.ofArray(matrix.values());
        for (int row = 0; row < stored.rows(); row++) {
            new ScalarKernels()
                    .dequantizeRow(stored, row, floats.asSlice(4L * row * stored.cols(), 4L * stored.cols()));
        }
        matrix.values()[0] = value;
        Arena arena = Arena.ofAuto();
        weights.put(name, weight(name, matrix, arena));
        return new Model("altered", source.config(), weights, source.tokenizer(), null, arena);
    }

    private static Model of(
            String name,
            ModelConfig config,
            Map<String, Matrix> tensors,
            Tokenizer tokenizer,
            @Nullable Quantization quantization) {
        Arena arena = Arena.ofAuto();
        Map<String, Weight> weights = new LinkedHashMap<>();
        tensors.forEach((tensor, matrix) -> weights.put(tensor, weight(tensor, matrix, arena)));
        return new Model(name, config, weights, tokenizer, null, Map.of(), Map.of(), quantization, arena);
    }

    private static Weight weight(String name, Matrix matrix, Arena arena) {
        MemorySegment floats = arena.allocate(4L * matrix.values().length, 64);
        MemorySegment.copy(matrix.values(), 0, floats, ValueLayout.JAVA_FLOAT, 0, matrix.values().length);
        boolean vector = name.endsWith("bias") || name.endsWith("norm.weight");
        return new Weight(
                name, DType.F32, vector ? List.of(matrix.cols()) : List.of(matrix.rows(), matrix.cols()), floats);
    }

    /** The logits after the last of {@code tokens}, of which the first half is a prompt and the others come one by one. */
    public static float[] logits(Model model, Precision precision, KvType kv, int... tokens) {
        CpuBackend backend = new CpuBackend(new ScalarKernels(), "scalar", 2, precision);
        try (Transformer transformer = new Transformer(model, backend);
                KvCache cache = transformer.newCache(kv, tokens.length)) {
            float[] logits = new float[model.config().vocabularySize()];
            int prompt = Math.max(1, tokens.length / 2);
            transformer.forward(cache, Arrays.copyOf(tokens, prompt), logits);
            for (int i = prompt; i < tokens.length; i++) {
                transformer.forward(cache, new int[] {tokens[i]}, logits);
            }
            return logits;
        }
    }
}
