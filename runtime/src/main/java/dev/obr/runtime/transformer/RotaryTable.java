package dev.obr.runtime.transformer;

import dev.obr.models.ModelConfig;

/**
 * Cosines and sines of the rotary position embedding.
 *
 * <pre>
 * frequency_i: ModelConfig.ropeFrequencies, i &lt; headDim/2
 * row of position p: cos(p·frequency_0) .. cos(p·frequency_{h/2-1}) | sin(p·frequency_0) .. sin(p·frequency_{h/2-1})
 * </pre>
 *
 * <p>Angles are rounded to float32, as in the code that the models were trained with. Rows are computed when first needed; not thread-safe.
 */
public final class RotaryTable {
    private final int headDim;
    private final float[] frequencies;
    private float[] rows = new float[0];
    private int positions;

    public RotaryTable(ModelConfig config) {
        headDim = config.headDim();
        frequencies = config.ropeFrequencies();
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
}
