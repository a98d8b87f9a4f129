package dev.obr.models.gguf;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** GGUF's tensor names of the Llama family and their Hugging Face names. */
final class GgufNames {
    private static final Map<String, String> MODEL = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");

    private static final Map<String, String> LAYER = Map.ofEntries(
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"),
            Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("ffn_norm", "post_attention_layernorm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"),
            Map.entry("ffn_down", "mlp.down_proj"));

    private static final Pattern IN_LAYER = Pattern.compile("blk\\.(\\d{1,9})\\.(\\w+)\\.(weight|bias)");

    private GgufNames() {}

    /** The Hugging Face name of a tensor, or nothing where the family has no such tensor. */
    static Optional<String> toHuggingFace(String name) {
        Matcher layer = IN_LAYER.matcher(name);
        if (!layer.matches()) {
            return Optional.ofNullable(MODEL.get(name));
        }
        String part = LAYER.get(layer.group(2));
        return part == null
                ? Optional.empty()
                : Optional.of("model.layers." + layer.group(1) + "." + part + "." + layer.group(3));
    }

    /** The name that GGUF gives to the tensor with a Hugging Face name; throws where there is none. */
    static String fromHuggingFace(String name) {
        for (Map.Entry<String, String> known : MODEL.entrySet()) {
            if (known.getValue().equals(name)) {
                return known.getKey();
            }
        }
        Matcher layer = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)\\.(weight|bias)")
                .matcher(name);
        if (layer.matches()) {
            for (Map.Entry<String, String> known : LAYER.entrySet()) {
                if (known.getValue().equals(layer.group(2))) {
                    return "blk." + layer.group(1) + "." + known.getKey() + "." + layer.group(3);
                }
            }
        }
        throw new IllegalArgumentException("GGUF has no name for " + name);
    }
}
