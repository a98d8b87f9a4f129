package dev.obr.models;

import dev.obr.kernels.ObrException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The shape and constants of a decoder-only transformer of the Llama family (Llama 1-3, Mistral, Qwen2, Qwen3, SmolLM, TinyLlama).
 *
 * @param architecture {@code llama}, {@code mistral}, {@code qwen2} or {@code qwen3}
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the SwiGLU block
 * @param layers decoder layers
 * @param heads query heads
 * @param kvHeads key/value heads; divides {@code heads}
 * @param headDim components of one head
 * @param vocabularySize rows of the embedding
 * @param contextLength tokens that the model was made for; where a model limits attention to a sliding window, the window's length if that is less: up to there a window changes
 *     nothing
 * @param rmsNormEpsilon added to the mean square in every RMSNorm
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling or null for plain rotary frequencies
 * @param tiedEmbeddings whether the LM head is the embedding
 * @param bosTokenId beginning-of-sequence token, or -1
 * @param eosTokenIds tokens that end a generation
 */
public record ModelConfig(
        String architecture,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int vocabularySize,
        int contextLength,
        float rmsNormEpsilon,
        float ropeTheta,
        @Nullable RopeScaling ropeScaling,
        boolean tiedEmbeddings,
        int bosTokenId,
        List<Integer> eosTokenIds) {
    private static final int MAX_LAYERS = 4096; // the deepest models have some 130

    public ModelConfig {
        eosTokenIds = List.copyOf(eosTokenIds);
    }

    /** The same with another number of decoder layers. */
    public ModelConfig withLayers(int layers) {
        return new ModelConfig(
                architecture,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                headDim,
                vocabularySize,
                contextLength,
                rmsNormEpsilon,
                ropeTheta,
                ropeScaling,
                tiedEmbeddings,
                bosTokenId,
                eosTokenIds);
    }

    /** The same with a head of its own. */
    public ModelConfig untied() {
        return new ModelConfig(
                architecture,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                headDim,
                vocabularySize,
                contextLength,
                rmsNormEpsilon,
                ropeTheta,
                ropeScaling,
                false,
                bosTokenId,
                eosTokenIds);
    }

    /** The same with other tokens that end a generation. */
    public ModelConfig withEosTokenIds(List<Integer> eosTokenIds) {
        return new ModelConfig(
                architecture,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                headDim,
                vocabularySize,
                contextLength,
                rmsNormEpsilon,
                ropeTheta,
                ropeScaling,
                tiedEmbeddings,
                bosTokenId,
                eosTokenIds);
    }

    /** Whether queries and keys of each head pass an RMSNorm of their own before the rotary embedding (Qwen3). */
    public boolean qkNorm() {
        return architecture.equals("qwen3");
    }

    /**
     * The angle by which each pair of components turns from one position to the next, scaling included: headDim / 2 values, in radians.
     *
     * <p>They are rounded to float, as the models were trained with: far out in the context the rounding shows in the logits.
     */
    public float[] ropeFrequencies() {
        float[] frequencies = new float[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double plain = Math.pow(ropeTheta, -2.0 * i / headDim);
            frequencies[i] = (float) (ropeScaling == null ? plain : plain / ropeScaling.divisor(i, plain));
        }
        return frequencies;
    }

    /** Width of all query heads together. */
    public int queryWidth() {
        return heads * headDim;
    }

    /** Width of all key (or value) heads together. */
    public int kvWidth() {
        return kvHeads * headDim;
    }

    /**
     * Checks that the numbers fit together.
     *
     * @param source the file they came from, for messages
     * @return this
     * @throws ObrException naming the numbers that contradict each other
     */
    public ModelConfig check(String source) {
        if (layers > MAX_LAYERS) {
            throw new ObrException(source + ": " + layers + " layers are too many for any model (limit " + MAX_LAYERS
                    + "); correct the file or download it again");
        }
        if (heads % kvHeads != 0) {
            throw new ObrException(source + ": " + heads + " attention heads can't share " + kvHeads
                    + " key/value heads evenly; correct the file or download it again");
        }
        if (headDim % 2 != 0) {
            throw new ObrException(source + ": heads of " + headDim
                    + " components can't be rotated in pairs (RoPE); correct the file or download it again");
        }
        if ((long) heads * headDim > Integer.MAX_VALUE) {
            throw new ObrException(source + ": " + heads + " heads of " + headDim
                    + " components are too large for any model; correct the file or download it again");
        }
        if (bosTokenId >= vocabularySize) {
            throw new ObrException(source + ": the beginning-of-sequence token is " + bosTokenId
                    + ", outside the vocabulary of " + vocabularySize + "; correct the file or download it again");
        }
        for (int eos : eosTokenIds) {
            if (eos < 0 || eos >= vocabularySize) {
                throw new ObrException(source + ": the end-of-sequence token is " + eos
                        + ", outside the vocabulary of " + vocabularySize
                        + "; correct the file or download it again");
            }
        }
        return this;
    }
}
