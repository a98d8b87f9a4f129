package dev.obr.models;

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
 * @param contextLength tokens that the model was made for
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
    public ModelConfig {
        eosTokenIds = List.copyOf(eosTokenIds);
    }

    /** Query heads that share one KV head. */
    public int groupSize() {
        return heads / kvHeads;
    }

    /** Width of all query heads together. */
    public int queryWidth() {
        return heads * headDim;
    }

    /** Width of all key (or value) heads together. */
    public int kvWidth() {
        return kvHeads * headDim;
    }
}
