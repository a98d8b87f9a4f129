package dev.obr.models.huggingface;

import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes a {@link ModelConfig} as the {@code config.json} and {@code generation_config.json} that {@link HuggingFaceConfig} reads. */
public final class ConfigJson {
    private ConfigJson() {}

    /**
     * {@code config.json}, in the spelling of transformers 4.
     *
     * @param bias which linear layers of the attention add one
     */
    public static ObjectNode config(ModelConfig config, AttentionBias bias) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.putArray("architectures").add(HuggingFaceConfig.className(config.architecture()));
        json.put("model_type", config.architecture());
        json.put("hidden_size", config.hiddenSize());
        json.put("intermediate_size", config.intermediateSize());
        json.put("num_hidden_layers", config.layers());
        json.put("num_attention_heads", config.heads());
        json.put("num_key_value_heads", config.kvHeads());
        json.put("head_dim", config.headDim());
        json.put("vocab_size", config.vocabularySize());
        json.put("max_position_embeddings", config.contextLength());
        json.put("rms_norm_eps", config.rmsNormEpsilon());
        json.put("rope_theta", config.ropeTheta());
        if (config.ropeScaling() != null) {
            json.set("rope_scaling", scaling(config.ropeScaling()));
        }
        json.put("hidden_act", "silu");
        json.put("attention_bias", bias == AttentionBias.QKVO);
        json.put("tie_word_embeddings", config.tiedEmbeddings());
        putTokens(config, json);
        return json;
    }

    /** {@code generation_config.json}: the tokens that begin and end a text. */
    public static ObjectNode generation(ModelConfig config) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        putTokens(config, json);
        return json;
    }

    private static void putTokens(ModelConfig config, ObjectNode json) {
        if (config.bosTokenId() >= 0) {
            json.put("bos_token_id", config.bosTokenId());
        }
        List<Integer> eos = config.eosTokenIds();
        if (eos.size() == 1) {
            json.put("eos_token_id", eos.getFirst());
        } else if (!eos.isEmpty()) {
            ArrayNode ids = json.putArray("eos_token_id");
            eos.forEach(ids::add);
        }
    }

    private static ObjectNode scaling(RopeScaling scaling) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        switch (scaling) {
            case RopeScaling.Llama3 llama3 ->
                json.put("rope_type", "llama3")
                        .put("factor", llama3.factor())
                        .put("low_freq_factor", llama3.lowFrequencyFactor())
                        .put("high_freq_factor", llama3.highFrequencyFactor())
                        .put("original_max_position_embeddings", llama3.originalContext());
            case RopeScaling.PerFrequency perFrequency -> {
                json.put("rope_type", HuggingFaceConfig.PER_FREQUENCY);
                ArrayNode divisors = json.putArray("divisors");
                perFrequency.divisors().forEach(divisors::add);
            }
        }
        return json;
    }
}
