package dev.obr.bench;

import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.DType;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.Quantization.WeightFormat;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.models.packed.PackedModelWriter;
import dev.obr.models.packed.PlainTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * A packed W4A4KV4 model of a given shape with random codes and masks, rotated as QuaRot does: what compressing a model of that shape would give, for measuring. Linear layers of one shape
 * are alike in all decoder layers; each lies in the file for itself.
 *
 * @param config architecture {@code llama}
 * @param headBits of the LM head: 4 or 8, or 16 for half floats
 * @param seed equal seeds give equal models
 */
public record RandomPackedModel(ModelConfig config, Pattern pattern, int headBits, long seed) {
    private static final int BITS = 4;

    /** By which codes of {@code BITS} bits come to the size of a Llama's first weights. */
    private static final float STEP = 0.006f;

    /**
     * Writes the model's folder.
     *
     * @throws dev.obr.kernels.ObrException if {@code out} exists, or cannot be written
     */
    public void write(Path out) {
        RandomModel.refuseToOverwrite(out);
        ModelConfig untied = config.untied();
        Map<String, List<Integer>> shapes = new ExpectedWeights(untied, AttentionBias.NONE).shapes();
        Map<List<Integer>, PackedMatrix> matrices = new HashMap<>();
        RandomVocabulary vocabulary = new RandomVocabulary(config.vocabularySize());
        try (PackedModelWriter writer = PackedModelWriter.create(
                out,
                untied,
                AttentionBias.NONE,
                quantization(),
                JsonNodeFactory.instance.objectNode().put("random", seed),
                CompanionFiles.of(RandomModel.tokenizerFiles(vocabulary)),
                true)) { // over what an interrupted run has left
            for (int layer = 0; layer < config.layers(); layer++) {
                String prefix = "model.layers." + layer + ".";
                Map<String, PackedMatrix> packed = new LinkedHashMap<>();
                List<PlainTensor> plain = new ArrayList<>();
                shapes.forEach((name, shape) -> {
                    if (name.startsWith(prefix) && shape.size() == 2) {
                        packed.put(name, matrices.computeIfAbsent(shape, any -> matrix(pattern, BITS, any, STEP)));
                    } else if (name.startsWith(prefix)) {
                        plain.add(ones(name, shape));
                    }
                });
                writer.layer(packed, Map.of(), plain, JsonNodeFactory.instance.objectNode());
            }
            finish(writer, shapes);
        }
    }

    private void finish(PackedModelWriter writer, Map<String, List<Integer>> shapes) {
        Map<String, PackedMatrix> packed = new LinkedHashMap<>();
        List<PlainTensor> plain = new ArrayList<>();
        RandomWeights halves = RandomModel.halves(seed);
        shapes.forEach((name, shape) -> {
            if (name.startsWith("model.layers.")) {
                return;
            }
            if (shape.size() == 1) {
                plain.add(ones(name, shape));
            } else if (name.equals(ExpectedWeights.HEAD) && headBits < 16) {
                packed.put(name, matrix(Pattern.DENSE, headBits, shape, headBits == BITS ? STEP : STEP / 16));
            } else {
                plain.add(new PlainTensor(name, DType.F16, shape, halves.random(shape)));
            }
        });
        writer.finish(packed, plain, JsonNodeFactory.instance.objectNode().put("random", seed));
    }

    private static PlainTensor ones(String name, List<Integer> shape) {
        float[] ones = new float[shape.getFirst()];
        Arrays.fill(ones, 1);
        return PlainTensor.vector(name, ones);
    }

    private PackedMatrix matrix(Pattern masks, int bits, List<Integer> shape, float step) {
        return RandomMatrix.packed(masks, bits, shape.get(0), shape.get(1), step, seed);
    }

    private Quantization quantization() {
        Rotation rotation = Rotation.quarot(config, seed, false);
        return new Quantization(
                Quantization.FORMAT_VERSION,
                BITS,
                pattern,
                WeightFormat.ofHead(headBits),
                pattern == Pattern.DENSE ? 0 : 0.5,
                "random",
                rotation.name(),
                rotation.online(),
                4,
                ActivationClip.SEARCH,
                4,
                "nothing",
                seed,
                "make-model");
    }
}
