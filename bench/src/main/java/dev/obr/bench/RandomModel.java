package dev.obr.bench;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.gguf.GgufWriter;
import dev.obr.models.huggingface.ConfigJson;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A model of a given shape with random weights, on disk: speed does not depend on what the weights are. It is written tensor by tensor and never in memory as a whole.
 *
 * @param config architecture {@code llama}
 * @param type of the matrices: F32, F16 or BF16
 * @param seed equal seeds give equal models
 */
public record RandomModel(String name, ModelConfig config, DType type, long seed) {
    private static final float DEVIATION = 0.02f; // as Llama models are initialised

    /**
     * Writes the model as a Hugging Face folder.
     *
     * @throws ObrException if {@code folder} exists, or cannot be written
     */
    public void writeHuggingFace(Path folder) {
        refuseToOverwrite(folder);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ObrException(
                    "cannot create the folder " + folder + ": " + e.getMessage() + "; choose another", e);
        }
        RandomVocabulary vocabulary = new RandomVocabulary(config.vocabularySize());
        RandomWeights weights = new RandomWeights(type, DEVIATION, seed);
        SafetensorsWriter safetensors = new SafetensorsWriter().metadata("format", "pt");
        tensors().forEach((tensor, shape) -> safetensors.tensor(tensor, type, shape, content(weights, weights, shape)));
        write(folder.resolve("config.json"), configJson());
        CompanionFiles.of(tokenizerFiles(vocabulary)).writeTo(folder);
        safetensors.write(folder.resolve("model.safetensors"));
    }

    /**
     * Writes the model as one GGUF file, which llama.cpp reads too. Norms are F32, as llama.cpp wants them.
     *
     * @throws ObrException if {@code file} exists, or cannot be written
     */
    public void writeGguf(Path file) {
        refuseToOverwrite(file);
        RandomWeights weights = new RandomWeights(type, DEVIATION, seed);
        RandomWeights norms = new RandomWeights(DType.F32, DEVIATION, seed);
        GgufWriter gguf = new GgufWriter();
        describe(gguf);
        tensors()
                .forEach((tensor, shape) -> gguf.tensor(
                        GgufWriter.nameOf(tensor),
                        shape.size() == 1 ? DType.F32 : type,
                        shape,
                        content(weights, norms, shape)));
        if (config.ropeScaling() != null) {
            float[] divisors = divisors(config.ropeScaling());
            gguf.tensor(
                    "rope_freqs.weight",
                    DType.F32,
                    List.of(divisors.length),
                    TensorBytes.of(MemorySegment.ofArray(divisors)));
        }
        gguf.write(file);
    }

    /** The tokenizer of a random model as Hugging Face has it, by file name. */
    static Map<String, byte[]> tokenizerFiles(RandomVocabulary vocabulary) {
        return Map.of(
                "tokenizer.json",
                vocabulary.tokenizerJson().getBytes(StandardCharsets.UTF_8),
                "tokenizer_config.json",
                json(Map.of(
                                "bos_token", vocabulary.pieces().get(RandomVocabulary.BEGIN),
                                "eos_token", vocabulary.pieces().get(RandomVocabulary.END),
                                "tokenizer_class", "PreTrainedTokenizerFast"))
                        .getBytes(StandardCharsets.UTF_8));
    }

    /** Half floats spread as a Llama's first weights are. */
    static RandomWeights halves(long seed) {
        return new RandomWeights(DType.F16, DEVIATION, seed);
    }

    private Map<String, List<Integer>> tensors() {
        return new ExpectedWeights(config, ExpectedWeights.AttentionBias.NONE).shapes();
    }

    private static TensorBytes content(RandomWeights weights, RandomWeights norms, List<Integer> shape) {
        return shape.size() == 1 ? norms.ones(shape) : weights.random(shape);
    }

    private void describe(GgufWriter gguf) {
        RandomVocabulary vocabulary = new RandomVocabulary(config.vocabularySize());
        gguf.string("general.architecture", "llama")
                .string("general.name", name)
                .uint32("general.file_type", fileType())
                .uint32("llama.context_length", config.contextLength())
                .uint32("llama.embedding_length", config.hiddenSize())
                .uint32("llama.block_count", config.layers())
                .uint32("llama.feed_forward_length", config.intermediateSize())
                .uint32("llama.attention.head_count", config.heads())
                .uint32("llama.attention.head_count_kv", config.kvHeads())
                .uint32("llama.rope.dimension_count", config.headDim())
                .uint32("llama.vocab_size", config.vocabularySize())
                .float32("llama.rope.freq_base", config.ropeTheta())
                .float32("llama.attention.layer_norm_rms_epsilon", config.rmsNormEpsilon())
                .string("tokenizer.ggml.model", "gpt2")
                .string("tokenizer.ggml.pre", "gpt-2")
                .strings("tokenizer.ggml.tokens", vocabulary.pieces())
                .int32s("tokenizer.ggml.token_type", vocabulary.types())
                .strings("tokenizer.ggml.merges", vocabulary.merges())
                .uint32("tokenizer.ggml.bos_token_id", RandomVocabulary.BEGIN)
                .uint32("tokenizer.ggml.eos_token_id", RandomVocabulary.END)
                .bool("tokenizer.ggml.add_bos_token", true);
    }

    /** llama.cpp's number for "mostly this type". */
    private int fileType() {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 32;
            default -> throw new IllegalArgumentException("random models are F32, F16 or BF16, not " + type);
        };
    }

    private float[] divisors(RopeScaling scaling) {
        float[] divisors = new float[config.headDim() / 2];
        for (int i = 0; i < divisors.length; i++) {
            divisors[i] = (float) scaling.divisor(i, Math.pow(config.ropeTheta(), -2.0 * i / config.headDim()));
        }
        return divisors;
    }

    private String configJson() {
        ObjectNode json = ConfigJson.config(config, AttentionBias.NONE);
        json.put("torch_dtype", type == DType.F32 ? "float32" : type == DType.F16 ? "float16" : "bfloat16");
        return json(json);
    }

    private static String json(Object object) {
        return JsonMapper.builder()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(object)
                + "\n";
    }

    static void refuseToOverwrite(Path path) {
        if (Files.exists(path)) {
            throw new ObrException(path + " exists already; delete it or choose another place");
        }
    }

    private static void write(Path file, String text) {
        AtomicFile.write(
                file,
                out -> TensorBytes.of(MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)))
                        .writeTo(out));
    }
}
