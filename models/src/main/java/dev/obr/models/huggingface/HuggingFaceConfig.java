package dev.obr.models.huggingface;

import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import dev.obr.models.file.JsonFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * {@code config.json} and {@code generation_config.json} as a {@link ModelConfig}.
 *
 * <p>Absent fields take the defaults of the family's configuration class in transformers. Both spellings are read: {@code rope_theta} and {@code rope_scaling} up to version 4,
 * {@code rope_parameters} from version 5. A field that changes results and is not implemented is an error that names it.
 */
public final class HuggingFaceConfig {
    private static final Map<String, String> ARCHITECTURES = Map.of(
            "LlamaForCausalLM", "llama",
            "MistralForCausalLM", "mistral",
            "Qwen2ForCausalLM", "qwen2",
            "Qwen3ForCausalLM", "qwen3");

    /** The {@code rope_type} of scaling by one divisor a frequency. */
    static final String PER_FREQUENCY = "per_frequency";

    private static final String SUPPORTED =
            "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and Qwen3ForCausalLM are supported";

    /** Fields that change results, none of which any of the four architectures uses: present and neither null, false, zero nor empty is an error. */
    private static final List<String> NOT_IMPLEMENTED = List.of(
            "num_experts",
            "num_local_experts",
            "n_routed_experts",
            "mlp_bias",
            "attn_logit_softcapping",
            "final_logit_softcapping",
            "logit_scale",
            "logits_scaling",
            "embedding_multiplier",
            "residual_multiplier",
            "attention_multiplier",
            "query_pre_attn_scalar",
            "kv_lora_rank",
            "no_rope_layers",
            "quantization_config");

    private final JsonFile config;
    private final String architecture;

    private HuggingFaceConfig(JsonFile config) {
        this.config = config;
        this.architecture = architecture(config);
    }

    /**
     * @param generation {@code generation_config.json}, or null where the model has none; its token ids win
     * @param hasHead whether the weights include a head of their own, which decides where {@code tie_word_embeddings} is absent
     */
    public static ModelConfig read(JsonFile config, @Nullable JsonFile generation, boolean hasHead) {
        return new HuggingFaceConfig(config).read(generation, hasHead);
    }

    /** Which linear layers of the attention add a bias. */
    public static AttentionBias attentionBias(JsonFile config) {
        if (config.flag("attention_bias", false)) {
            return AttentionBias.QKVO;
        }
        return architecture(config).equals("qwen2") ? AttentionBias.QKV : AttentionBias.NONE;
    }

    private ModelConfig read(@Nullable JsonFile generation, boolean hasHead) {
        refuseWhatIsNotImplemented();
        int hidden = config.integer("hidden_size", 1);
        int heads = config.integer("num_attention_heads", 1);
        int headDim = headDim(hidden, heads);
        return new ModelConfig(
                        architecture,
                        hidden,
                        config.integer("intermediate_size", 1),
                        config.integer("num_hidden_layers", 1),
                        heads,
                        kvHeads(heads),
                        headDim,
                        config.integer("vocab_size", 1),
                        contextLength(),
                        (float) config.positive("rms_norm_eps", 1e-6),
                        ropeTheta(),
                        ropeScaling(headDim),
                        config.flag("tie_word_embeddings", !hasHead),
                        bosToken(generation),
                        eosTokens(generation))
                .check(config.source());
    }

    /** The name in {@code architectures} of one that {@link ModelConfig#architecture()} names. */
    static String className(String architecture) {
        return ARCHITECTURES.entrySet().stream()
                .filter(known -> known.getValue().equals(architecture))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no class is named for " + architecture));
    }

    private static String architecture(JsonFile config) {
        JsonNode names = config.find("architectures");
        if (names != null
                && names.isArray()
                && names.size() == 1
                && names.get(0).isString()) {
            String architecture = ARCHITECTURES.get(names.get(0).stringValue());
            if (architecture != null) {
                return architecture;
            }
        }
        if (names == null) {
            String type = config.text("model_type");
            if (type != null && ARCHITECTURES.containsValue(type)) {
                return type;
            }
            throw new ObrException(config.source() + ": model_type " + JsonFile.shown(config.find("model_type"))
                    + " is not supported; " + SUPPORTED);
        }
        throw new ObrException(
                config.source() + ": architectures " + JsonFile.shown(names) + " is not supported; " + SUPPORTED);
    }

    private void refuseWhatIsNotImplemented() {
        for (String field : NOT_IMPLEMENTED) {
            JsonNode value = config.find(field);
            if (value == null) {
                continue;
            }
            boolean neutral = value.isBoolean() && !value.booleanValue()
                    || value.isNumber() && value.doubleValue() == 0
                    || value.isContainer() && value.isEmpty();
            if (!neutral) {
                throw notImplemented(config, field);
            }
        }
        String activation = config.text("hidden_act");
        if (activation != null && !activation.equals("silu") && !activation.equals("swish")) {
            throw notImplemented(config, "hidden_act");
        }
        refusePartialRotation(config);
    }

    private static void refusePartialRotation(JsonFile json) {
        if (json.positive("partial_rotary_factor", 1) != 1) {
            throw notImplemented(json, "partial_rotary_factor");
        }
    }

    private static ObrException notImplemented(JsonFile json, String field) {
        return new ObrException(json.source() + ": " + field + " " + JsonFile.shown(json.find(field))
                + " is not implemented, and ignoring it would change the results; choose a model without it");
    }

    private int kvHeads(int heads) {
        // Llama 1 and 2 configurations predate grouped heads and may leave the field out
        return architecture.equals("llama") || config.has("num_key_value_heads")
                ? config.integer("num_key_value_heads", 1, heads)
                : config.integer("num_key_value_heads", 1);
    }

    private int headDim(int hidden, int heads) {
        if (config.has("head_dim")) {
            return config.integer("head_dim", 1);
        }
        if (architecture.equals("qwen3")) {
            return 128;
        }
        if (hidden % heads != 0) {
            throw new ObrException(config.source() + ": hidden_size " + hidden + " is no multiple of the " + heads
                    + " num_attention_heads and there is no head_dim; correct the file or download it again");
        }
        return hidden / heads;
    }

    /** Up to its length a sliding window changes nothing, so a model with one is run within it. */
    private int contextLength() {
        int context = switch (architecture) {
            case "llama" -> config.integer("max_position_embeddings", 1, 2048);
            case "mistral" -> config.integer("max_position_embeddings", 1, 131072);
            default -> config.integer("max_position_embeddings", 1, 32768);
        };
        return slides() ? Math.min(context, config.integer("sliding_window", 1)) : context;
    }

    private boolean slides() {
        boolean slides = false;
        JsonNode types = config.find("layer_types");
        if (types != null) {
            for (JsonNode type : types) {
                String name = type.isString() ? type.stringValue() : "";
                if (!name.equals("full_attention") && !name.equals("sliding_attention")) {
                    throw notImplemented(config, "layer_types");
                }
                slides |= name.equals("sliding_attention");
            }
        }
        boolean enabled = switch (architecture) {
            case "mistral" -> true;
            case "qwen2", "qwen3" -> config.flag("use_sliding_window", false);
            default -> false;
        };
        return slides || enabled && config.has("sliding_window");
    }

    private float ropeTheta() {
        JsonFile parameters = config.object("rope_parameters");
        double theta = config.positive("rope_theta", 10000);
        return (float) (parameters == null ? theta : parameters.positive("rope_theta", theta));
    }

    private @Nullable RopeScaling ropeScaling(int headDim) {
        String field = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        JsonFile scaling = config.object(field);
        if (scaling == null) {
            return null;
        }
        refusePartialRotation(scaling);
        String type = scaling.text(scaling.has("rope_type") ? "rope_type" : "type");
        if (type == null && field.equals("rope_parameters") && scaling.has("rope_theta") || "default".equals(type)) {
            return null;
        }
        if (PER_FREQUENCY.equals(type)) {
            return perFrequency(scaling, headDim / 2);
        }
        if (!"llama3".equals(type)) {
            throw notImplemented(config, field);
        }
        double factor = required(scaling, "factor");
        double low = required(scaling, "low_freq_factor");
        double high = required(scaling, "high_freq_factor");
        if (high <= low) {
            throw scaling.unusable("high_freq_factor", "more than low_freq_factor " + low);
        }
        return new RopeScaling.Llama3(factor, low, high, scaling.integer("original_max_position_embeddings", 1));
    }

    /** Not of transformers: how packed models keep the divisors of a GGUF file, which no rule of transformers gives exactly. */
    private static RopeScaling perFrequency(JsonFile scaling, int frequencies) {
        List<Float> divisors = new ArrayList<>();
        JsonNode values = scaling.find("divisors");
        if (values != null && values.isArray()) {
            for (JsonNode value : values) {
                float divisor = value.isNumber() ? (float) value.doubleValue() : 0;
                if (!(divisor > 0) || divisor == Float.POSITIVE_INFINITY) {
                    throw scaling.unusable("divisors", "a list of positive numbers");
                }
                divisors.add(divisor);
            }
        }
        if (divisors.size() != frequencies) {
            throw scaling.unusable("divisors", "one for each of the " + frequencies + " frequencies");
        }
        return new RopeScaling.PerFrequency(divisors);
    }

    private static double required(JsonFile json, String field) {
        if (!json.has(field)) {
            throw new ObrException(json.source() + " has no " + field + "; it is needed to run the model");
        }
        return json.positive(field, 1);
    }

    private int bosToken(@Nullable JsonFile generation) {
        JsonFile json = generation != null && generation.has("bos_token_id") ? generation : config;
        return json.integer("bos_token_id", 0, -1);
    }

    private List<Integer> eosTokens(@Nullable JsonFile generation) {
        JsonFile json = generation != null && generation.has("eos_token_id") ? generation : config;
        JsonNode value = json.find("eos_token_id");
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            return List.of(json.integer("eos_token_id", 0));
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode id : value) {
            if (!id.isIntegralNumber() || !id.canConvertToInt()) {
                throw json.unusable("eos_token_id", "a token id or a list of them");
            }
            ids.add(id.intValue());
        }
        return ids;
    }
}
