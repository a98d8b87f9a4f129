package dev.obr.bench;

import dev.obr.kernels.ObrException;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Shapes of well-known models, to measure with without having them. */
public enum ModelShape {
    /** Llama 3.2 1B: 1.24 B parameters, most of them in 16 layers, a fifth in the tied embedding. */
    LLAMA_3_2_1B(new ModelConfig(
            "llama",
            2048,
            8192,
            16,
            32,
            8,
            64,
            128_256,
            131_072,
            1e-5f,
            500_000,
            new RopeScaling.Llama3(32, 1, 4, 8192),
            true,
            RandomVocabulary.BEGIN,
            List.of(RandomVocabulary.END))),
    /** Llama 2 7B: 6.74 B parameters, no grouped queries, a head of its own. */
    LLAMA_2_7B(new ModelConfig(
            "llama",
            4096,
            11_008,
            32,
            32,
            32,
            128,
            32_000,
            4096,
            1e-5f,
            10_000,
            null,
            false,
            RandomVocabulary.BEGIN,
            List.of(RandomVocabulary.END))),
    /** Llama 3 8B: 8.03 B parameters, four queries to a KV head, a larger vocabulary. */
    LLAMA_3_8B(new ModelConfig(
            "llama",
            4096,
            14_336,
            32,
            32,
            8,
            128,
            128_256,
            8192,
            1e-5f,
            500_000,
            null,
            false,
            RandomVocabulary.BEGIN,
            List.of(RandomVocabulary.END))),
    /** A few thousand parameters, for tests. */
    TINY(new ModelConfig(
            "llama",
            64,
            192,
            2,
            4,
            2,
            16,
            320,
            512,
            1e-5f,
            10_000,
            null,
            true,
            RandomVocabulary.BEGIN,
            List.of(RandomVocabulary.END)));

    @SuppressWarnings("ImmutableEnumChecker") // a record of immutable values
    private final ModelConfig config;

    ModelShape(ModelConfig config) {
        this.config = config;
    }

    /** Its configuration. */
    public ModelConfig config() {
        return config;
    }

    /** {@code llama-3.2-1b}, {@code llama-2-7b}, {@code llama-3-8b}, {@code tiny}. */
    public String label() {
        return switch (this) {
            case LLAMA_3_2_1B -> "llama-3.2-1b";
            case LLAMA_2_7B -> "llama-2-7b";
            case LLAMA_3_8B -> "llama-3-8b";
            case TINY -> "tiny";
        };
    }

    /** The shape called {@code label}. */
    public static ModelShape of(String label) {
        return Arrays.stream(values())
                .filter(shape -> shape.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("there is no shape '" + label + "'; take one of "
                        + Arrays.stream(values()).map(ModelShape::label).collect(Collectors.joining(", "))));
    }

    /**
     * Its configuration with another number of layers or another vocabulary; 0 keeps the shape's own.
     *
     * @throws ObrException if the vocabulary is too small for all bytes
     */
    public ModelConfig config(int layers, int vocabularySize) {
        if (layers < 0) {
            throw new ObrException("layers is " + layers + ", but must be 0 (the shape's own) or more");
        }
        if (vocabularySize != 0 && vocabularySize < RandomVocabulary.SMALLEST) {
            throw new ObrException("the vocabulary is " + vocabularySize + ", but must be at least "
                    + RandomVocabulary.SMALLEST + ": one token for each byte, and a few more");
        }
        return new ModelConfig(
                config.architecture(),
                config.hiddenSize(),
                config.intermediateSize(),
                layers == 0 ? config.layers() : layers,
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                vocabularySize == 0 ? config.vocabularySize() : vocabularySize,
                config.contextLength(),
                config.rmsNormEpsilon(),
                config.ropeTheta(),
                config.ropeScaling(),
                config.tiedEmbeddings(),
                config.bosTokenId(),
                config.eosTokenIds());
    }
}
