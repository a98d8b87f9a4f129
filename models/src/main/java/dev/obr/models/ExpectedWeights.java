package dev.obr.models;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tensors that a {@link ModelConfig} calls for, by Hugging Face name, and the check that a file has them in the right shapes.
 *
 * <p>Shapes, outermost first: projections [out, in], norms and biases [n], embedding and head [vocabulary, hidden].
 */
public final class ExpectedWeights {
    /** Which linear layers of the attention add a bias. */
    public enum AttentionBias {
        /** None of them. */
        NONE,
        /** Query, key and value (Qwen2). */
        QKV,
        /** Query, key, value and output ({@code attention_bias: true}). */
        QKVO;

        /** What a model has whose tensors have these Hugging Face names. */
        public static AttentionBias among(Set<String> names) {
            if (names.contains("model.layers.0.self_attn.o_proj.bias")) {
                return QKVO;
            }
            return names.contains("model.layers.0.self_attn.q_proj.bias") ? QKV : NONE;
        }
    }

    /** The name of the LM head [vocabulary, hidden]. */
    public static final String HEAD = "lm_head.weight";

    private final ModelConfig config;
    private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

    /** Lists the tensors of {@code config}; a tied LM head is none of its own. */
    public ExpectedWeights(ModelConfig config, AttentionBias bias) {
        this.config = config;
        int hidden = config.hiddenSize();
        shapes.put("model.embed_tokens.weight", List.of(config.vocabularySize(), hidden));
        shapes.put("model.norm.weight", List.of(hidden));
        if (!config.tiedEmbeddings()) {
            shapes.put(HEAD, List.of(config.vocabularySize(), hidden));
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer("model.layers." + layer + ".", bias);
        }
    }

    private void addLayer(String layer, AttentionBias bias) {
        int hidden = config.hiddenSize();
        shapes.put(layer + "input_layernorm.weight", List.of(hidden));
        addLinear(layer + "self_attn.q_proj", config.queryWidth(), hidden, bias != AttentionBias.NONE);
        addLinear(layer + "self_attn.k_proj", config.kvWidth(), hidden, bias != AttentionBias.NONE);
        addLinear(layer + "self_attn.v_proj", config.kvWidth(), hidden, bias != AttentionBias.NONE);
        addLinear(layer + "self_attn.o_proj", hidden, config.queryWidth(), bias == AttentionBias.QKVO);
        if (config.qkNorm()) {
            shapes.put(layer + "self_attn.q_norm.weight", List.of(config.headDim()));
            shapes.put(layer + "self_attn.k_norm.weight", List.of(config.headDim()));
        }
        shapes.put(layer + "post_attention_layernorm.weight", List.of(hidden));
        addLinear(layer + "mlp.gate_proj", config.intermediateSize(), hidden, false);
        addLinear(layer + "mlp.up_proj", config.intermediateSize(), hidden, false);
        addLinear(layer + "mlp.down_proj", hidden, config.intermediateSize(), false);
    }

    private void addLinear(String name, int out, int in, boolean bias) {
        shapes.put(name + ".weight", List.of(out, in));
        if (bias) {
            shapes.put(name + ".bias", List.of(out));
        }
    }

    /** Shapes by name, in a stable order: embedding, final norm, head, then layer by layer. */
    public Map<String, List<Integer>> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /**
     * Checks that {@code found} is what the configuration calls for.
     *
     * @param found tensors by Hugging Face name
     * @param source the model's file or folder, for messages
     * @throws ObrException for a missing tensor, one of another shape, or one inside a layer that would go unused
     */
    public void check(Map<String, Weight> found, String source) {
        check(found, Set.of(), source);
    }

    /**
     * Checks that {@code found} is what the configuration calls for, but for those weights that are packed.
     *
     * @param packed names of weights whose shapes are known to be right
     */
    public void check(Map<String, Weight> found, Set<String> packed, String source) {
        shapes.forEach((name, shape) -> {
            if (packed.contains(name)) {
                return;
            }
            Weight weight = found.get(name);
            if (weight == null) {
                throw new ObrException(source + " has no tensor " + name + " " + shape
                        + ", which its configuration calls for; download the model again");
            }
            if (!weight.shape().equals(shape)) {
                throw new ObrException(source + ": tensor " + name + " has shape " + weight.shape()
                        + ", but the configuration calls for " + shape
                        + "; the weights and the configuration are of different models");
            }
            DType type = weight.type();
            if (shape.size() == 1 && type.blockSize() > 1) {
                throw new ObrException(source + ": tensor " + name + " is stored as " + type
                        + ", but norms and biases must be F32, F16 or BF16; export the model again");
            }
        });
        for (String name : found.keySet()) {
            if (name.startsWith("model.layers.") && !shapes.containsKey(name)) {
                throw new ObrException(source + " has a tensor " + name
                        + " that its configuration does not call for; ignoring it would change the results");
            }
        }
    }
}
