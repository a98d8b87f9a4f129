package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.ComputeCapability;

/**
 * Bits of the activations that packed weights multiply.
 *
 * @param promptBits of tokens that are computed together, 4 or 8
 * @param stepBits of a token that is computed alone
 * @param clip of 4-bit codes, or {@link dev.obr.kernels.quantize.ActivationQuantizer#SEARCH}
 */
public record GpuPrecision(int promptBits, int stepBits, float clip) {
    /**
     * What is asked for or, with 0, what costs nothing: a single token waits for the weights, so that 8 bits are as fast as 4; so they are for prompts where tensor cores multiply no 4-bit
     * integers. Elsewhere prompts have the model's own bits.
     */
    public static GpuPrecision of(int asked, int modelsOwn, float clip, ComputeCapability capability) {
        if (asked != 0) {
            return new GpuPrecision(asked, asked, clip);
        }
        return new GpuPrecision(capability.multipliesInt4() ? Math.min(8, modelsOwn) : 8, 8, clip);
    }
}
