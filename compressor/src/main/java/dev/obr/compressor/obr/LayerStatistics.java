package dev.obr.compressor.obr;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.ProductSum;
import dev.obr.kernels.linalg.TiledProducts;

/**
 * Gathers what compression needs to know of a linear layer's inputs X, sequence by sequence: the Hessian {@code H = 2/n · sum over sequences of Xᵀ X} and the squared norms of Wanda's
 * metric. Both are means over sequences, not tokens, so a sequence may come in several chunks.
 */
public final class LayerStatistics {
    private final String name;
    private final int cols;
    private final ProductSum gram; // of Xᵀ X, the lower triangle
    private final double[] ofSequence; // squared norms of the sequence at hand
    private final double[] ofAll;
    private final double[] earlyWeighMore;
    private int sequences;
    private long tokensOfSequence;

    /**
     * @param name of the inputs, for messages: {@code the input of layers.3.mlp.down_proj}
     * @param cols the layer's inputs
     */
    public LayerStatistics(String name, int cols, TiledProducts products) {
        this.name = name;
        this.cols = cols;
        this.gram = products.sum(cols, cols);
        this.ofSequence = new double[cols];
        this.ofAll = new double[cols];
        this.earlyWeighMore = new double[cols];
    }

    /**
     * Adds tokens of the current sequence.
     *
     * @param x [tokens, cols]; more may follow in the array
     * @throws ObrException at a NaN or infinity, naming the inputs, token and column
     */
    public void add(float[] x, int tokens) {
        Finite.check(x, tokens, cols, name);
        gram.addGram(tokens, new Block(x, 0, cols));
        for (int t = 0; t < tokens; t++) {
            for (int c = 0; c < cols; c++) {
                double value = x[t * cols + c];
                ofSequence[c] += value * value;
            }
        }
        tokensOfSequence += tokens;
    }

    /** Ends the current sequence; one without tokens is none. */
    public void endSequence() {
        if (tokensOfSequence == 0) {
            return;
        }
        sequences++;
        for (int c = 0; c < cols; c++) {
            ofAll[c] += ofSequence[c];
            earlyWeighMore[c] += ofSequence[c] / sequences;
            ofSequence[c] = 0;
        }
        tokensOfSequence = 0;
    }

    /** Sequences that have ended. */
    public int sequences() {
        return sequences;
    }

    /**
     * A copy of what was gathered so far; more may be added after.
     *
     * @throws ObrException if no sequence has ended
     */
    public LayerInput soFar(ScalerVariant variant) {
        return input(gram.value().copy(), variant);
    }

    /**
     * What was gathered. H takes the accumulator's place in memory, so this ends it: nothing may be added after.
     *
     * @throws ObrException if no sequence has ended
     */
    public LayerInput toInput(ScalerVariant variant) {
        LayerInput input = input(gram.value(), variant);
        gram.close();
        return input;
    }

    private LayerInput input(Matrix h, ScalerVariant variant) {
        if (tokensOfSequence > 0) {
            throw new IllegalStateException("the last sequence of " + name + " has not ended");
        }
        if (sequences == 0) {
            throw new ObrException("no calibration tokens reached " + name + "; give a longer text");
        }
        float[] scalerRow = new float[cols];
        for (int c = 0; c < cols; c++) {
            scalerRow[c] = (float) (variant == ScalerVariant.QUAROT ? earlyWeighMore[c] : ofAll[c] / sequences);
        }
        float factor = 2f / sequences;
        for (int r = 0; r < cols; r++) {
            for (int c = 0; c <= r; c++) {
                float value = factor * h.at(r, c);
                h.set(r, c, value);
                h.set(c, r, value);
            }
        }
        return new LayerInput(name, h, scalerRow);
    }
}
