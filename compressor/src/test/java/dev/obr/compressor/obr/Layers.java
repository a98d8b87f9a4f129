package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.Matrix;
import java.util.Random;

/** Random layers whose inputs are correlated, as real ones are. */
final class Layers {
    private Layers() {}

    /** Weights [rows, cols]. */
    static Matrix weight(int rows, int cols, long seed) {
        Random random = new Random(seed);
        Matrix w = Matrix.zeros(rows, cols);
        for (int i = 0; i < w.values().length; i++) {
            w.values()[i] = (float) random.nextGaussian();
        }
        return w;
    }

    /** {@code H = 2/tokens · Xᵀ X} of inputs that are a short moving average along the columns, larger in some. */
    static LayerInput input(int cols, long seed) {
        Random random = new Random(seed);
        int tokens = 3 * cols;
        double[] x = new double[cols];
        double[] h = new double[cols * cols];
        for (int t = 0; t < tokens; t++) {
            double last = 0;
            for (int c = 0; c < cols; c++) {
                last = 0.8 * last + random.nextGaussian();
                x[c] = last * (1 + 3.0 * (c % 5) / 5);
            }
            for (int r = 0; r < cols; r++) {
                for (int c = 0; c < cols; c++) {
                    h[r * cols + c] += 2 * x[r] * x[c] / tokens;
                }
            }
        }
        Matrix hessian = Matrix.zeros(cols, cols);
        float[] scaler = new float[cols];
        for (int i = 0; i < h.length; i++) {
            hessian.values()[i] = (float) h[i];
        }
        for (int c = 0; c < cols; c++) {
            scaler[c] = hessian.at(c, c) / 2;
        }
        return new LayerInput("a random layer", hessian, scaler);
    }
}
