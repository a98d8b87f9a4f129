package dev.obr.models;

/**
 * How rotary frequencies are stretched for long contexts: Llama 3's rule ({@code rope_type: llama3} in Hugging Face configurations).
 *
 * @param factor long wavelengths are stretched by this
 * @param lowFrequencyFactor wavelengths above {@code originalContext / lowFrequencyFactor} are stretched in full
 * @param highFrequencyFactor wavelengths below {@code originalContext / highFrequencyFactor} are left alone
 * @param originalContext context length of the pre-training, in tokens
 */
public record RopeScaling(float factor, float lowFrequencyFactor, float highFrequencyFactor, int originalContext) {}
