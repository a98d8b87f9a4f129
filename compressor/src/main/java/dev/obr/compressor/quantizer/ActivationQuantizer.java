package dev.obr.compressor.quantizer;

import dev.obr.kernels.ObrException;

/**
 * Quantises activations, keys or values: each token, or each group of consecutive values of a token, to a grid of its own. The result is dequantised at once.
 *
 * @param bits 2 to 8
 * @param groupSize values that share a scale; 0 for all of a token
 * @param clipRatio share of the range that is kept, in (0, 1]
 */
public record ActivationQuantizer(int bits, boolean symmetric, int groupSize, float clipRatio) {
    public ActivationQuantizer {
        if (bits < 2 || bits > 8) {
            throw new ObrException("activations of " + bits + " bits are not supported: use 2 to 8, or 16 for none");
        }
        if (!(clipRatio > 0 && clipRatio <= 1)) {
            throw new ObrException("the clip ratio is " + clipRatio + ", but must be above 0 and at most 1");
        }
    }

    /**
     * Quantises and dequantises in place.
     *
     * @param values whole tokens of {@code width} values from {@code from} on
     */
    public void apply(float[] values, int from, int tokens, int width) {
        int size = groupSize == 0 ? width : groupSize;
        if (width % size != 0) {
            throw new ObrException("groups of " + size + " do not divide tokens of " + width + " values");
        }
        for (int start = from; start < from + tokens * width; start += size) {
            applyToGroup(values, start, start + size);
        }
    }

    private void applyToGroup(float[] x, int from, int to) {
        float lo = groupSize == 0 ? 0 : Float.POSITIVE_INFINITY; // a token's range holds zero, a group's need not
        float hi = groupSize == 0 ? 0 : Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            lo = Math.min(lo, x[i]);
            hi = Math.max(hi, x[i]);
        }
        lo *= clipRatio;
        hi *= clipRatio;
        if (symmetric) {
            int highest = (1 << (bits - 1)) - 1;
            float range = Math.max(Math.abs(lo), hi);
            round(x, from, to, range == 0 ? 1 : range / highest, 0, -highest - 1, highest);
        } else {
            int highest = (1 << bits) - 1;
            if (lo == 0 && hi == 0) {
                lo = -1;
                hi = 1;
            }
            float scale = (hi - lo) / highest;
            round(x, from, to, scale, Math.rint(-lo / scale), 0, highest);
        }
    }

    private static void round(float[] x, int from, int to, float scale, double zero, int lowest, int highest) {
        for (int i = from; i < to; i++) {
            double code = Math.clamp(Math.rint(x[i] / scale) + zero, lowest, highest);
            x[i] = scale * (float) (code - zero);
        }
    }
}
