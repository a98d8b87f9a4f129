package dev.obr.models;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.util.Map;

/**
 * How a packed model was made, and how it is meant to run. Activation and cache widths are defaults: whoever runs the model may choose others.
 *
 * @param formatVersion of the folder's layout
 * @param bits of a weight's code, 4 or 8
 * @param pattern of the masks
 * @param overrides by weight name, where a weight differs from {@code bits} and {@code pattern}
 * @param sparsity share of entries that were pruned from each row, in [0, 1)
 * @param method that pruned, quantised and restored, e.g. {@code obr-gptq}
 * @param rotation {@code quarot}, {@code spinquant} (imported checkpoints) or {@code none}
 * @param online what the rotation leaves to the runtime
 * @param activationBits 4, 8 or 16
 * @param activationClip how 4-bit codes of activations are clipped
 * @param kvBits of a key's or value's code in the cache: 4, 8 or 16
 * @param calibration what the model was calibrated on, for people
 * @param seed of rotation and calibration
 * @param toolVersion of the program that wrote the model
 */
public record Quantization(
        int formatVersion,
        int bits,
        Pattern pattern,
        Map<String, WeightFormat> overrides,
        double sparsity,
        String method,
        String rotation,
        OnlineRotation online,
        int activationBits,
        ActivationClip activationClip,
        int kvBits,
        String calibration,
        long seed,
        String toolVersion) {
    /** The layout that this version of the program writes. */
    public static final int FORMAT_VERSION = 2;

    /**
     * How one weight is packed.
     *
     * @param bits of a code, 4 or 8
     */
    public record WeightFormat(int bits, Pattern pattern) {
        /** What {@link Quantization#overrides} say of a head of that many bits: packed densely, or with 16 bits not at all. */
        public static Map<String, WeightFormat> ofHead(int bits) {
            return bits == 16 ? Map.of() : Map.of(ExpectedWeights.HEAD, new WeightFormat(bits, Pattern.DENSE));
        }
    }

    /**
     * The clip of 4-bit activation codes, as a share of each token's largest magnitude.
     *
     * @param ratio in (0, 1], or 0: the best of a few ratios is searched for each token
     */
    public record ActivationClip(double ratio) {
        /** The best of a few ratios for each token. */
        public static final ActivationClip SEARCH = new ActivationClip(0);

        public ActivationClip {
            if (!(ratio >= 0 && ratio <= 1)) {
                throw new IllegalArgumentException("no activation is clipped at " + ratio);
            }
        }

        /**
         * {@code search}, or a ratio above 0 and at most 1.
         *
         * @throws ObrException if it is neither, beginning with {@code name}
         */
        public static ActivationClip parse(String name, String clip) {
            if (clip.equals("search")) {
                return SEARCH;
            }
            try {
                double ratio = Double.parseDouble(clip);
                if (ratio > 0 && ratio <= 1) {
                    return new ActivationClip(ratio);
                }
            } catch (NumberFormatException e) {
                // no ratio either
            }
            throw new ObrException(name + " is '" + clip + "', but must be search, or a number above 0 and at most 1");
        }

        /** Whether the ratio is searched. */
        public boolean searched() {
            return ratio == 0;
        }
    }

    public Quantization {
        overrides = Map.copyOf(overrides);
    }

    /** How the weight of that name is packed. */
    public WeightFormat format(String weight) {
        return overrides.getOrDefault(weight, new WeightFormat(bits, pattern));
    }
}
