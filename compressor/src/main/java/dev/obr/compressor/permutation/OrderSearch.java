package dev.obr.compressor.permutation;

import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.TiledProducts;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Chooses the order of the columns of one group of linear layers that share an input: {@link GreedyOrder}'s, if a sample of the group's rows, compressed in it, loses less on windows
 * held out than in the order of the file. The choice depends on weights, windows and options alone.
 */
public final class OrderSearch {
    /** Rows that are compressed twice to compare. */
    private static final int SAMPLE = 128;

    /** Of the Hessian, where the compression itself damps less: enough that float32 inverts it. */
    private static final double LEAST_DAMPING = 0.01;

    private final Permute permute;
    private final CompressionOptions options;
    private final LayerCompressor compressor;
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final TiledProducts products;

    public OrderSearch(
            Permute permute,
            CompressionOptions options,
            LayerCompressor compressor,
            LinearAlgebra algebra,
            ThreadTeam team) {
        this.permute = permute;
        this.options = options;
        this.compressor = compressor;
        this.algebra = algebra;
        this.team = team;
        this.products = new TiledProducts(algebra, team);
    }

    /** How the {@code windows} of a group's calibration serve the search. */
    public FittedWindows windows(int windows) {
        return seeks() && permute == Permute.AUTO
                ? FittedWindows.mostOf(windows, options.scaler())
                : FittedWindows.all(windows, options.scaler());
    }

    private boolean seeks() {
        return !options.dense() && permute.seeks(options.pattern());
    }

    /**
     * Chooses.
     *
     * @param name of the first layer, for messages
     * @param weights W [out, in] of all layers of the group, as they will be compressed
     * @param input of them, over all windows
     * @param windows which of those an order is fitted to
     */
    public OrderChoice choose(String name, List<Matrix> weights, LayerInput input, FittedWindows windows) {
        if (!seeks()) {
            return OrderChoice.NONE;
        }
        LayerInput fitted = windows.fitted(input);
        double[] scores;
        try {
            scores = GreedyOrder.scores(
                    weights, fitted.inverseDiagonal(Math.max(options.percdamp(), LEAST_DAMPING), algebra, team));
        } catch (NotPositiveDefiniteException e) {
            return new OrderChoice(null, "not permuted: the Hessian is not positive definite");
        }
        if (!Arrays.stream(scores).allMatch(Double::isFinite)) {
            return OrderChoice.NONE; // a weight is no number, which its compression will say
        }
        ColumnOrder order = GreedyOrder.of(scores, options.pattern());
        if (permute == Permute.ON) {
            return new OrderChoice(order, "permuted");
        }
        Matrix sample = sample(weights);
        Matrix judge = windows.judge(input);
        double before =
                loss(sample, compressor.compress(name, sample, fitted, options).dequantized(), judge);
        Matrix reordered = compressor
                .compress(name, order.columnsOf(sample), fitted.reordered(order), options)
                .dequantized();
        double after = loss(sample, order.restore(reordered), judge);
        String change = String.format(
                Locale.ROOT, "permuted: %sloss x%.3f", windows.holdsOut() ? "held-out " : "", after / before);
        return after < before ? new OrderChoice(order, change) : new OrderChoice(null, "not " + change);
    }

    /** Rows spread evenly over the stacked weights. */
    private static Matrix sample(List<Matrix> weights) {
        int cols = weights.getFirst().cols();
        int all = weights.stream().mapToInt(Matrix::rows).sum();
        Matrix sample = Matrix.zeros(Math.min(SAMPLE, all), cols);
        int first = 0;
        int taken = 0;
        for (Matrix w : weights) {
            while (taken < sample.rows()) {
                int row = (int) ((long) taken * all / sample.rows()) - first;
                if (row >= w.rows()) {
                    break;
                }
                System.arraycopy(w.values(), row * cols, sample.values(), taken * cols, cols);
                taken++;
            }
            first += w.rows();
        }
        return sample;
    }

    /** {@code tr((W - Ŵ) H (W - Ŵ)ᵀ)}. */
    private double loss(Matrix weight, Matrix changed, Matrix h) {
        Matrix difference = weight.copy();
        for (int i = 0; i < difference.values().length; i++) {
            difference.values()[i] -= changed.values()[i];
        }
        Matrix product = products.multiply(difference, h);
        double sum = 0;
        for (int i = 0; i < product.values().length; i++) {
            sum += (double) difference.values()[i] * product.values()[i];
        }
        return sum;
    }
}
