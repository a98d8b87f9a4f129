package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Quantization;
import dev.obr.models.chat.ChatFormats;
import dev.obr.models.file.FolderName;
import dev.obr.models.file.JsonFile;
import dev.obr.models.huggingface.HuggingFaceConfig;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsTensor;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** Opens a packed model's folder: a Hugging Face folder whose {@code config.json} has a {@code quantization_config} of {@code quant_method} "obr". */
public final class PackedModel {
    static final String CONFIG = "config.json";
    static final String WEIGHTS = "model.safetensors";

    private PackedModel() {}

    /** Whether {@code folder} holds a packed model, of whatever version of the format. */
    public static boolean isPacked(Path folder) {
        Path config = folder.resolve(CONFIG);
        return Files.exists(config) && QuantizationJson.isPacked(JsonFile.read(config));
    }

    /**
     * Opens the model in {@code folder}; its weights stay in the memory-mapped file.
     *
     * @throws ObrException where a file is missing or damaged, or the format is newer than this program
     */
    public static Model open(Path folder) {
        JsonFile config = JsonFile.read(folder.resolve(CONFIG));
        Quantization quantization = QuantizationJson.read(config);
        PackedTokenizer tokenizer = PackedTokenizer.read(folder);
        Arena arena = Arena.ofShared();
        try {
            Path weights = folder.resolve(WEIGHTS);
            if (!Files.exists(weights)) {
                throw new ObrException(folder + " has no " + WEIGHTS + "; copy it from where the model came from");
            }
            Map<String, SafetensorsTensor> tensors =
                    SafetensorsFile.map(weights, arena).tensors();
            return assemble(folder, config, quantization, tokenizer, tensors, arena);
        } catch (RuntimeException | Error failure) {
            tokenizer.close();
            arena.close();
            throw failure;
        }
    }

    /**
     * The model that the files describe.
     *
     * @param folder for the model's name and for messages
     * @param arena owns the tensors' memory; the model closes it
     */
    static Model assemble(
            Path folder,
            JsonFile config,
            Quantization quantization,
            PackedTokenizer tokenizer,
            Map<String, SafetensorsTensor> tensors,
            Arena arena) {
        String source = folder.toString();
        ModelConfig read = modelConfig(config, tokenizer, tensors);
        ExpectedWeights expected = new ExpectedWeights(read, attentionBias(config, tensors));
        PackedTensors sorted = PackedTensors.read(tensors, expected.shapes(), quantization, source + "/" + WEIGHTS);
        sorted.check(expected, source);
        if (tokenizer.vocabulary().vocabularySize() > read.vocabularySize()) {
            throw new ObrException(source + ": the tokenizer has "
                    + tokenizer.vocabulary().vocabularySize() + " tokens, but the embedding only "
                    + read.vocabularySize() + " rows; the tokenizer belongs to another model");
        }
        return new Model(
                FolderName.of(folder),
                read,
                sorted.plain(),
                tokenizer.vocabulary(),
                ChatFormats.detect(tokenizer.chatTemplate(), read.architecture(), tokenizer.vocabulary()),
                sorted.packed(),
                sorted.orders(),
                quantization,
                arena);
    }

    private static ModelConfig modelConfig(
            JsonFile config, PackedTokenizer tokenizer, Map<String, SafetensorsTensor> tensors) {
        ObjectNode plain = ((ObjectNode) config.root()).deepCopy();
        plain.remove(QuantizationJson.FIELD);
        boolean hasHead =
                tensors.containsKey(ExpectedWeights.HEAD) || tensors.containsKey(ExpectedWeights.HEAD + ".codes");
        return HuggingFaceConfig.read(new JsonFile(config.source(), plain), tokenizer.generation(), hasHead);
    }

    /** Biases are used where they are there: what came as GGUF may have them where no configuration of transformers does. */
    static AttentionBias attentionBias(JsonFile config, Map<String, SafetensorsTensor> tensors) {
        AttentionBias configured = HuggingFaceConfig.attentionBias(config);
        return configured == AttentionBias.NONE ? AttentionBias.among(tensors.keySet()) : configured;
    }
}
