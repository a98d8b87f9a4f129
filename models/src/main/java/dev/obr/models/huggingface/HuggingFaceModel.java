package dev.obr.models.huggingface;

import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Weight;
import dev.obr.models.chat.ChatFormats;
import dev.obr.models.file.JsonFile;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.tokenizer.HuggingFaceTokenizer;
import dev.obr.models.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The files of a model in the Hugging Face layout, read but not yet interpreted; {@link #assemble} checks that they fit together.
 *
 * @param name for people
 * @param source the folder, for messages
 * @param config {@code config.json}
 * @param generation {@code generation_config.json}, if the model has one
 * @param tokenizer the bytes of {@code tokenizer.json}
 * @param tokenizerConfig {@code tokenizer_config.json}, if the model has one
 * @param chatTemplate the text of {@code chat_template.jinja}, if the model has one; otherwise {@code tokenizer_config.json} may hold it
 * @param tensors all tensors by name, in file order
 */
public record HuggingFaceModel(
        String name,
        String source,
        JsonFile config,
        @Nullable JsonFile generation,
        byte[] tokenizer,
        @Nullable JsonFile tokenizerConfig,
        @Nullable String chatTemplate,
        Map<String, SafetensorsTensor> tensors) {
    private static final String OLD_LLAMA_CONSTANTS =
            ".rotary_emb.inv_freq"; // derived from rope_theta, written by transformers before 4.32

    /**
     * The model that the files describe.
     *
     * @param arena owns the tensors' memory; the model closes it
     * @throws ObrException where the files contradict each other or need what is not implemented
     */
    public Model assemble(Arena arena) {
        ModelConfig read = HuggingFaceConfig.read(config, generation, tensors.containsKey(ExpectedWeights.HEAD));
        Map<String, Weight> weights = weights(read);
        new ExpectedWeights(read, HuggingFaceConfig.attentionBias(config)).check(weights, source);

        JsonNode settings = tokenizerConfig == null ? null : tokenizerConfig.root();
        Tokenizer vocabulary = HuggingFaceTokenizer.load(tokenizer, settings, source + "/tokenizer.json");
        try {
            if (vocabulary.vocabularySize() > read.vocabularySize()) {
                throw new ObrException(source + ": the tokenizer has " + vocabulary.vocabularySize()
                        + " tokens, but the embedding only " + read.vocabularySize()
                        + " rows; tokenizer.json belongs to another model");
            }
            String template = chatTemplate != null ? chatTemplate : ChatTemplate.in(tokenizerConfig);
            return new Model(
                    name,
                    read,
                    weights,
                    vocabulary,
                    ChatFormats.detect(template, read.architecture(), vocabulary),
                    arena);
        } catch (RuntimeException failure) {
            vocabulary.close();
            throw failure;
        }
    }

    private Map<String, Weight> weights(ModelConfig config) {
        Map<String, Weight> weights = new LinkedHashMap<>();
        tensors.forEach((tensorName, tensor) -> {
            boolean unusedHead = config.tiedEmbeddings() && tensorName.equals(ExpectedWeights.HEAD);
            if (!unusedHead && !tensorName.endsWith(OLD_LLAMA_CONSTANTS)) {
                weights.put(tensorName, tensor.weight());
            }
        });
        return weights;
    }
}
