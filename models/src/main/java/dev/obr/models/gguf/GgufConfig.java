package dev.obr.models.gguf;

import dev.obr.kernels.ObrException;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import dev.obr.models.file.Excerpt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The metadata of a GGUF file as a {@link ModelConfig}.
 *
 * <p>Keys are {@code <architecture>.<name>}. One that changes results and is not implemented is an error that names it.
 */
final class GgufConfig {
    private static final Set<String> ARCHITECTURES = Set.of("llama", "qwen2", "qwen3");

    /** Keys that change results where they are present and not 0. */
    private static final List<String> NOT_IMPLEMENTED = List.of(
            "expert_count",
            "attn_logit_softcapping",
            "final_logit_softcapping",
            "logit_scale",
            "residual_scale",
            "embedding_scale",
            "attention.scale",
            "attention.clamp_kqv",
            "attention.max_alibi_bias");

    private final String source;
    private final Map<String, Object> metadata;
    private final String architecture;

    private GgufConfig(GgufFile file) {
        this.source = file.source();
        this.metadata = file.metadata();
        String name = text("general.architecture");
        if (!ARCHITECTURES.contains(name)) {
            throw new ObrException(source + ": general.architecture \"" + Excerpt.of(name)
                    + "\" is not supported; llama (also of Mistral and SmolLM), qwen2 and qwen3 are");
        }
        this.architecture = name;
    }

    /**
     * @param vocabulary rows of the embedding
     * @param tied whether the file has no head of its own
     * @param ropeDivisors the values of {@code rope_freqs.weight}, or null where the file has none
     */
    static ModelConfig read(GgufFile file, int vocabulary, boolean tied, float @Nullable [] ropeDivisors) {
        return new GgufConfig(file).read(vocabulary, tied, ropeDivisors);
    }

    private ModelConfig read(int vocabulary, boolean tied, float @Nullable [] ropeDivisors) {
        if (metadata.containsKey("split.count") && integer("split.count", 0) > 1) {
            throw new ObrException(source + " is one of " + metadata.get("split.count")
                    + " parts; join them with llama.cpp's llama-gguf-split --merge");
        }
        for (String name : NOT_IMPLEMENTED) {
            Object value = metadata.get(key(name));
            if (value != null && !(value instanceof Number number && number.doubleValue() == 0)) {
                throw notImplemented(key(name));
            }
        }
        int hidden = integer(key("embedding_length"), 1);
        int heads = integer(key("attention.head_count"), 1);
        int headDim = headDim(hidden, heads);
        return new ModelConfig(
                        architecture,
                        hidden,
                        integer(key("feed_forward_length"), 1),
                        integer(key("block_count"), 1),
                        heads,
                        has("attention.head_count_kv") ? integer(key("attention.head_count_kv"), 1) : heads,
                        headDim,
                        vocabulary,
                        contextLength(),
                        (float) positive(key("attention.layer_norm_rms_epsilon")),
                        has("rope.freq_base") ? (float) positive(key("rope.freq_base")) : 10000f,
                        ropeScaling(headDim, ropeDivisors),
                        tied,
                        metadata.containsKey("tokenizer.ggml.bos_token_id")
                                ? integer("tokenizer.ggml.bos_token_id", 0)
                                : -1,
                        eosTokens())
                .check(source);
    }

    private int headDim(int hidden, int heads) {
        if (!has("attention.key_length") && hidden % heads != 0) {
            throw new ObrException(source + ": an embedding of " + hidden + " can't be split into " + heads
                    + " heads and there is no " + key("attention.key_length")
                    + "; the file is damaged: download it again");
        }
        int headDim = has("attention.key_length") ? integer(key("attention.key_length"), 1) : hidden / heads;
        for (String name : List.of("attention.value_length", "rope.dimension_count")) {
            if (has(name) && integer(key(name), 0) != headDim) {
                throw new ObrException(source + ": " + key(name) + " is " + shown(key(name))
                        + ", but heads have " + headDim
                        + " components; other lengths are not implemented: choose another model");
            }
        }
        return headDim;
    }

    /** Up to its length a sliding window changes nothing, so a model with one is run within it. */
    private int contextLength() {
        int context = integer(key("context_length"), 1);
        boolean slides = has("attention.sliding_window") && integer(key("attention.sliding_window"), 0) > 0;
        return slides ? Math.min(context, integer(key("attention.sliding_window"), 1)) : context;
    }

    private @Nullable RopeScaling ropeScaling(int headDim, float @Nullable [] divisors) {
        if (has("rope.scaling.type") && !"none".equals(metadata.get(key("rope.scaling.type")))) {
            throw notImplemented(key("rope.scaling.type"));
        }
        for (String factor : List.of("rope.scaling.factor", "rope.scale_linear")) {
            if (has(factor) && positive(key(factor)) != 1) {
                throw notImplemented(key(factor));
            }
        }
        if (divisors == null) {
            return null;
        }
        if (divisors.length != headDim / 2) {
            throw new ObrException(source + ": rope_freqs.weight has " + divisors.length + " values, but heads of "
                    + headDim + " components have " + headDim / 2
                    + " frequencies; the file is damaged: download it again");
        }
        List<Float> list = new ArrayList<>();
        for (float divisor : divisors) {
            if (!(divisor > 0) || divisor == Float.POSITIVE_INFINITY) {
                throw new ObrException(source + ": rope_freqs.weight holds " + divisor
                        + ", but a positive number is expected; the file is damaged: download it again");
            }
            list.add(divisor);
        }
        return new RopeScaling.PerFrequency(list);
    }

    /** End of text, end of turn and end of message all end a generation. */
    private List<Integer> eosTokens() {
        List<Integer> ids = new ArrayList<>();
        for (String name : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            String key = "tokenizer.ggml." + name;
            if (metadata.containsKey(key) && !ids.contains(integer(key, 0))) {
                ids.add(integer(key, 0));
            }
        }
        return ids;
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private boolean has(String name) {
        return metadata.containsKey(key(name));
    }

    private Object required(String key) {
        Object value = metadata.get(key);
        if (value == null) {
            throw new ObrException(source + " has no metadata " + key + "; it is needed to run the model");
        }
        return value;
    }

    private String text(String key) {
        if (required(key) instanceof String text) {
            return text;
        }
        throw unusable(key, "a text");
    }

    private int integer(String key, int min) {
        Object value = required(key);
        if (value instanceof int[] perLayer && uniform(perLayer)) {
            value = perLayer[0];
        }
        if (!(value instanceof Integer || value instanceof Long)
                || ((Number) value).longValue() < min
                || ((Number) value).longValue() > Integer.MAX_VALUE) {
            throw unusable(key, "a whole number of at least " + min);
        }
        return ((Number) value).intValue();
    }

    /** Some exporters write one value per layer even where all are the same. */
    private static boolean uniform(int[] values) {
        for (int value : values) {
            if (value != values[0]) {
                return false;
            }
        }
        return values.length > 0;
    }

    private double positive(String key) {
        Object value = required(key);
        if (!(value instanceof Number number) || !(number.doubleValue() > 0) || number.doubleValue() > 1e30) {
            throw unusable(key, "a positive number");
        }
        return number.doubleValue();
    }

    private ObrException unusable(String key, String expected) {
        return new ObrException(source + ": " + key + " is " + shown(key) + ", but " + expected
                + " is expected; the file is damaged or of an unsupported model");
    }

    private ObrException notImplemented(String key) {
        return new ObrException(source + ": " + key + " " + shown(key)
                + " is not implemented, and ignoring it would change the results; choose a model without it");
    }

    private String shown(String key) {
        Object value = metadata.get(key);
        return value != null && value.getClass().isArray() ? "an array" : Excerpt.of(String.valueOf(value));
    }
}
