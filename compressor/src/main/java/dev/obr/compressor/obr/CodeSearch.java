package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.CoordinateDescent;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.DeviceAlgebra.SignedCodes;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledFactor;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.linalg.Transpose;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Finds codes and a signed scale for each row of a masked weight, so that the codes themselves make up for what is pruned and rounded; nothing is restored in between.
 *
 * <pre>
 *   P = kept columns, H_cc ascending (so that the largest are rounded first),  L Lᵀ = H_PP,  y = L⁻¹ (W H)_P
 *   codes and scale along L ({@link SupportRounding});  then sweeps, a new scale, sweeps again ({@link CoordinateDescent})
 * </pre>
 *
 * <p>Rows of the same support share its factor: there is one for a dense layer, else one a row, which a device factors and rounds along for many rows at once ({@link BatchedRounding}).
 */
final class CodeSearch {
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final TiledProducts products;
    private final Matrix h;
    private final ScaleGrid grid;
    private final int[] ascending; // columns by H_cc

    CodeSearch(LinearAlgebra algebra, ThreadTeam team, TiledProducts products, Matrix h, ScaleGrid grid) {
        this.algebra = algebra;
        this.team = team;
        this.products = products;
        this.h = h;
        this.grid = grid;
        int[] descending = ColumnOrder.descending(h).columns();
        ascending = descending.clone();
        for (int i = 0; i < ascending.length; i++) {
            ascending[i] = descending[descending.length - 1 - i];
        }
    }

    /**
     * What was found.
     *
     * @param codes [rows, cols], 0 where nothing is kept
     * @param scale [rows], of either sign, never 0
     */
    record Codes(byte[] codes, float[] scale) {
        /**
         * A row as it was rounded; where all codes are 0 it keeps its scale.
         *
         * @param kept columns
         * @param found their codes, and perhaps more behind them
         * @param candidate of the scales for the one it has
         */
        private void set(int row, int[] kept, byte[] found, int candidate) {
            int at = row * (codes.length / scale.length);
            for (int i = 0; i < kept.length; i++) {
                codes[at + kept[i]] = found[i];
            }
            if (any(row)) {
                scale[row] = ScaleGrid.candidate(candidate, scale[row]);
            }
        }

        /** Whether a code of a row is not 0. */
        boolean any(int row) {
            int cols = codes.length / scale.length;
            for (int i = row * cols; i < (row + 1) * cols; i++) {
                if (codes[i] != 0) {
                    return true;
                }
            }
            return false;
        }

        /** {@code scale · code} [rows, cols]; no zero is negative. */
        Matrix dequantized() {
            int cols = codes.length / Math.max(scale.length, 1);
            Matrix values = Matrix.zeros(scale.length, cols);
            for (int i = 0; i < codes.length; i++) {
                values.values()[i] = codes[i] == 0 ? 0 : scale[i / cols] * codes[i];
            }
            return values;
        }
    }

    /**
     * Codes of {@code weight} on {@code mask}.
     *
     * @param weight W [rows, cols], zero in dead columns
     * @param quantizer whose scales [rows] the search starts from; rows whose codes are all zero keep theirs
     * @throws dev.obr.kernels.linalg.NotPositiveDefiniteException if a row's Hessian has no factor in float32
     */
    Codes of(Matrix weight, Mask mask, WeightQuantizer quantizer) {
        try (DeviceAlgebra.Held held = products.hold(h)) { // for W H, the gradients and the descent
            Matrix product = products.multiply(weight, h); // W H
            Codes codes = new Codes(new byte[weight.values().length], Arrays.copyOf(quantizer.scale(), weight.rows()));
            round(product, mask, codes);
            improve(weight, product, mask, codes, quantizer.scale());
            return codes;
        }
    }

    private void round(Matrix product, Mask mask, Codes codes) {
        boolean dense = mask.rows() > 0 && everywhere(mask);
        if (!dense && algebra.device().isPresent()) {
            roundOn(algebra.device().get(), product, mask, codes);
            return;
        }
        float[] shared = dense ? sharedFactor() : new float[0];
        Queue<Row> idle = new ConcurrentLinkedQueue<>(); // one a thread, as large as its largest row so far
        team.run(mask.rows(), row -> {
            int[] order = order(mask, row);
            if (order.length == 0) {
                return;
            }
            Row equations = idle.poll();
            if (equations == null) {
                equations = new Row();
            }
            equations.round(row, order, product, codes, shared);
            idle.add(equations);
        });
    }

    private void roundOn(DeviceAlgebra device, Matrix product, Mask mask, Codes codes) {
        List<BatchedRounding.Row> rows = new ArrayList<>();
        for (int row = 0; row < mask.rows(); row++) {
            int[] order = order(mask, row);
            if (order.length > 0) {
                rows.add(new BatchedRounding.Row(row, order));
            }
        }
        new BatchedRounding(device, grid)
                .round(
                        h,
                        product,
                        codes.scale(), // each is read before it is replaced
                        rows,
                        (row, found, candidate) -> codes.set(row.index(), row.kept(), found, candidate));
    }

    private static boolean everywhere(Mask mask) {
        for (boolean kept : mask.kept()) {
            if (!kept) {
                return false;
            }
        }
        return true;
    }

    private float[] sharedFactor() {
        Matrix all = Matrix.zeros(h.rows(), h.cols());
        gather(ascending, all.values());
        new TiledFactor(algebra, team).cholesky(all);
        return all.values();
    }

    /** The kept columns of a row by H_cc, ascending. */
    private int[] order(Mask mask, int row) {
        int[] kept = new int[mask.keptInRow(row)];
        int n = 0;
        for (int c : ascending) {
            if (mask.keeps(row, c)) {
                kept[n++] = c;
            }
        }
        return kept;
    }

    /** H[order, order] into the beginning of {@code a}: the lower triangle. */
    private void gather(int[] order, float[] a) {
        int n = order.length;
        for (int i = 0; i < n; i++) {
            int from = order[i] * h.cols();
            for (int j = 0; j <= i; j++) {
                a[i * n + j] = h.values()[from + order[j]];
            }
        }
    }

    /** What one thread needs for one row. */
    private final class Row {
        private final SupportRounding rounding = new SupportRounding(algebra, grid);
        private float[] own = new float[0];

        /** @param shared the factor of all columns, empty where rows have their own */
        void round(int row, int[] order, Matrix product, Codes codes, float[] shared) {
            int n = order.length;
            float[] factor = shared;
            if (shared.length == 0) {
                if (own.length < n * n) {
                    own = new float[n * n];
                }
                factor = own;
                gather(order, factor);
                algebra.cholesky(n, new Block(factor, 0, n));
            }
            Block l = new Block(factor, 0, n);
            float[] y = new float[n];
            for (int i = 0; i < n; i++) {
                y[i] = product.at(row, order[i]);
            }
            algebra.solveLower(Transpose.NO, n, l, y);
            rounding.search(n, l, y, codes.scale()[row]);
            codes.set(row, order, rounding.codes(), rounding.candidate());
        }
    }

    private void improve(Matrix weight, Matrix product, Mask mask, Codes codes, float[] base) {
        int cols = weight.cols();
        Matrix change = codes.dequantized(); // What - W
        for (int i = 0; i < change.values().length; i++) {
            change.values()[i] -= weight.values()[i];
        }
        Matrix gradients = products.multiply(change, h);
        DeviceAlgebra device = algebra.device().orElse(null);
        if (device == null) {
            team.run(weight.rows(), row -> descend(row, product, gradients, mask, codes));
        } else {
            device.descend(
                    h,
                    product,
                    gradients,
                    mask.kept(),
                    new SignedCodes(codes.codes(), codes.scale(), grid.lowest(), grid.highest()));
        }
        for (int row = 0; row < weight.rows(); row++) {
            if (!codes.any(row)) {
                codes.scale()[row] = base[row];
            }
        }
    }

    private void descend(int row, Matrix product, Matrix gradients, Mask mask, Codes codes) {
        int cols = product.cols();
        int at = row * cols;
        double[] gradient = new double[cols];
        byte[] own = Arrays.copyOfRange(codes.codes(), at, at + cols);
        for (int c = 0; c < cols; c++) {
            gradient[c] = gradients.values()[at + c];
        }
        CoordinateDescent descent = new CoordinateDescent(
                h, grid.lowest(), grid.highest(), own, codes.scale()[row], columns(mask, row), gradient);
        descent.improve(product, row);
        System.arraycopy(own, 0, codes.codes(), at, cols);
        codes.scale()[row] = descent.scale();
    }

    /** The kept columns of a row. */
    private static int[] columns(Mask mask, int row) {
        int[] kept = new int[mask.keptInRow(row)];
        for (int c = 0, n = 0; c < mask.cols(); c++) {
            if (mask.keeps(row, c)) {
                kept[n++] = c;
            }
        }
        return kept;
    }
}
