package dev.obr.models;

import java.util.List;

/** How rotary frequencies are stretched for contexts longer than those of the pre-training. */
public sealed interface RopeScaling {
    /**
     * What frequency {@code i} is divided by.
     *
     * @param i index of the frequency, {@code 0 <= i < headDim / 2}
     * @param frequency the unscaled frequency, in radians per token
     */
    double divisor(int i, double frequency);

    /**
     * Llama 3's rule ({@code rope_type: llama3} in Hugging Face configurations): long wavelengths are stretched, short ones are not, those between in part.
     *
     * @param factor long wavelengths are stretched by this
     * @param lowFrequencyFactor wavelengths above {@code originalContext / lowFrequencyFactor} are stretched in full
     * @param highFrequencyFactor wavelengths below {@code originalContext / highFrequencyFactor} are left alone
     * @param originalContext context length of the pre-training, in tokens
     */
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalContext)
            implements RopeScaling {
        @Override
        public double divisor(int i, double frequency) {
            double wavelength = 2 * Math.PI / frequency;
            if (wavelength < originalContext / highFrequencyFactor) {
                return 1;
            }
            if (wavelength > originalContext / lowFrequencyFactor) {
                return factor;
            }
            // between the two, the frequencies (not the wavelengths) are mixed: 0 = stretched in full, 1 = left alone
            double kept =
                    (originalContext / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
            return 1 / ((1 - kept) / factor + kept);
        }
    }

    /**
     * One divisor for each frequency, as GGUF files store Llama 3's rule ({@code rope_freqs.weight}).
     *
     * @param divisors headDim / 2 of them
     */
    record PerFrequency(List<Float> divisors) implements RopeScaling {
        public PerFrequency {
            divisors = List.copyOf(divisors);
        }

        @Override
        public double divisor(int i, double frequency) {
            return divisors.get(i);
        }
    }
}
