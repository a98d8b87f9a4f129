package dev.obr.runtime.transformer;

import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import org.jspecify.annotations.Nullable;

/**
 * Cosines and sines of the rotary position embedding.
 *
 * <pre>
 * frequency_i = theta^(-2i/headDim), i < headDim/2, stretched by the model's scaling rule
 * row of position p: cos(p·frequency_0) .. cos(p·frequency_{h/2-1}) | sin(p·frequency_0) .. sin(p·frequency_{h/2-1})
 * </pre>
 *
 * <p>Frequencies and angles are rounded to float32, as in the code that the models were trained with. Rows are computed when first needed; not thread-safe.
 */
public final class RotaryTable {
    private final int headDim;
    private final float[] frequencies;
    private float[] rows = new float[0];
    private int positions;

    public RotaryTable(ModelConfig config) {
        headDim = config.headDim();
        frequencies = frequencies(headDim, config.ropeTheta(), config.ropeScaling());
    }

    /** Components of one row, as many as a head has. */
    public int headDim() {
        return headDim;
    }

    /** The rows of positions 0 .. {@code positions}-1 (or more), one after the other. Valid until a later call asks for more. */
    public float[] rows(int positions) {
        if (positions > this.positions) {
            int target = Math.max(positions, Math.max(256, 2 * this.positions));
            float[] grown = new float[Math.multiplyExact(target, headDim)];
            System.arraycopy(rows, 0, grown, 0, this.positions * headDim);
            for (int p = this.positions; p < target; p++) {
                fill(grown, p);
            }
            rows = grown;
            this.positions = target;
        }
        return rows;
    }

    private void fill(float[] table, int position) {
        int half = headDim / 2;
        for (int i = 0; i < half; i++) {
            float angle = position * frequencies[i];
            table[position * headDim + i] = (float) Math.cos(angle);
            table[position * headDim + half + i] = (float) Math.sin(angle);
        }
    }

    private static float[] frequencies(int headDim, float theta, @Nullable RopeScaling scaling) {
        float[] frequencies = new float[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float frequency = (float) (1.0 / Math.pow(theta, 2.0 * i / headDim));
            frequencies[i] = scaling == null ? frequency : stretch(frequency, scaling);
        }
        return frequencies;
    }

    /** Llama 3's rule: long wavelengths are stretched, short ones kept, those between blended. */
    private static float stretch(float frequency, RopeScaling s) {
        double wavelength = 2 * Math.PI / frequency;
        double low = s.originalContext() / (double) s.lowFrequencyFactor();
        double high = s.originalContext() / (double) s.highFrequencyFactor();
        if (wavelength < high) {
            return frequency;
        }
        if (wavelength > low) {
            return frequency / s.factor();
        }
        double keep = (s.originalContext() / wavelength - s.lowFrequencyFactor())
                / (s.highFrequencyFactor() - s.lowFrequencyFactor());
        return (float) ((1 - keep) * frequency / s.factor() + keep * frequency);
    }
}
