package dev.obr.models.gguf;

import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Weight;
import dev.obr.models.chat.ChatFormats;
import dev.obr.models.tokenizer.GgufTokenizer;
import dev.obr.models.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens a GGUF file as a {@link Model}: names, shapes and row order become those of Hugging Face. */
public final class GgufModel {
    private static final String ROPE_DIVISORS = "rope_freqs.weight";

    private GgufModel() {}

    /**
     * Opens the model in {@code file}; its weights stay in the memory-mapped file, but for the Q and K projections of the Llama family, whose rows are put in order in memory.
     *
     * @throws ObrException where the file is damaged or needs what is not implemented
     */
    public static Model open(Path file) {
        Arena arena = Arena.ofShared();
        try {
            Path name = file.getFileName();
            return assemble(name == null ? file.toString() : name.toString(), GgufFile.map(file, arena), arena);
        } catch (RuntimeException | Error failure) {
            arena.close();
            throw failure;
        }
    }

    /**
     * The model that a file describes.
     *
     * @param name for people
     * @param arena owns the file's memory; the model closes it
     */
    public static Model assemble(String name, GgufFile file, Arena arena) {
        Map<String, GgufTensor> tensors = file.tensors();
        GgufTensor embedding = tensors.get("token_embd.weight");
        if (embedding == null) {
            throw new ObrException(file.source() + " has no tensor token_embd.weight; it holds no whole model");
        }
        boolean tied = !tensors.containsKey("output.weight");
        ModelConfig config =
                GgufConfig.read(file, embedding.shape().getFirst(), tied, ropeDivisors(tensors.get(ROPE_DIVISORS)));
        Map<String, Weight> weights = named(file);
        new ExpectedWeights(config, attentionBias(weights, config)).check(weights, file.source());
        if (config.architecture().equals("llama")) {
            putInOrder(weights, config, arena);
        }

        Tokenizer vocabulary = GgufTokenizer.create(file.metadata(), file.source());
        try {
            if (vocabulary.vocabularySize() > config.vocabularySize()) {
                throw new ObrException(file.source() + ": the vocabulary has " + vocabulary.vocabularySize()
                        + " tokens, but the embedding only " + config.vocabularySize()
                        + " rows; the file is damaged: download it again");
            }
            String template = file.metadata().get("tokenizer.chat_template") instanceof String text ? text : null;
            return new Model(
                    name,
                    config,
                    weights,
                    vocabulary,
                    ChatFormats.detect(template, config.architecture(), vocabulary),
                    arena);
        } catch (RuntimeException failure) {
            vocabulary.close();
            throw failure;
        }
    }

    private static Map<String, Weight> named(GgufFile file) {
        Map<String, Weight> weights = new LinkedHashMap<>();
        file.tensors().forEach((name, tensor) -> {
            if (name.equals(ROPE_DIVISORS)) {
                return;
            }
            String known = GgufNames.toHuggingFace(name)
                    .orElseThrow(() -> new ObrException(file.source() + " has a tensor " + name
                            + " that is not implemented; ignoring it would change the results"));
            weights.put(known, tensor.weight(known));
        });
        return weights;
    }

    /** GGUF has no key for biases: they are used where they are there. */
    private static AttentionBias attentionBias(Map<String, Weight> weights, ModelConfig config) {
        if (weights.containsKey("model.layers.0.self_attn.o_proj.bias")) {
            return AttentionBias.QKVO;
        }
        return config.architecture().equals("qwen2") || weights.containsKey("model.layers.0.self_attn.q_proj.bias")
                ? AttentionBias.QKV
                : AttentionBias.NONE;
    }

    private static float @Nullable [] ropeDivisors(@Nullable GgufTensor tensor) {
        if (tensor == null) {
            return null;
        }
        if (!tensor.type().equals("F32") || tensor.shape().size() != 1) {
            throw new ObrException(tensor.source() + ": tensor " + ROPE_DIVISORS + " is " + tensor.type() + " "
                    + tensor.shape() + ", but a vector of F32 is expected; the file is damaged: download it again");
        }
        return tensor.memory().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    }

    /** Exporters permute Q and K of the Llama family for RoPE on neighbouring components; weights here are for RoPE on halves. */
    private static void putInOrder(Map<String, Weight> weights, ModelConfig config, Arena arena) {
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String projection : List.of("q_proj", "k_proj")) {
                for (String part : List.of("weight", "bias")) {
                    weights.computeIfPresent(
                            "model.layers." + layer + ".self_attn." + projection + "." + part,
                            (name, weight) -> inHalves(weight, config.headDim(), arena));
                }
            }
        }
    }

    /**
     * Row (head, half, i) of the result is row (head, i, half) of the file, for i < headDim / 2: whole rows move, so any block type will do.
     *
     * @param weight [heads · headDim, in], or a bias [heads · headDim] whose rows are single numbers
     */
    private static Weight inHalves(Weight weight, int headDim, Arena arena) {
        int rows = weight.shape().getFirst();
        long rowBytes = weight.memory().byteSize() / rows;
        MemorySegment from = weight.memory();
        MemorySegment to = arena.allocate(from.byteSize(), 64);
        for (int row = 0; row < rows; row++) {
            int head = row / headDim;
            int half = row % headDim / (headDim / 2);
            int i = row % (headDim / 2);
            long fileRow = (long) head * headDim + 2L * i + half;
            MemorySegment.copy(from, fileRow * rowBytes, to, row * rowBytes, rowBytes);
        }
        return new Weight(weight.name(), weight.type(), weight.shape(), to.asReadOnly());
    }
}
