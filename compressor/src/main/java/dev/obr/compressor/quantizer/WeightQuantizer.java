package dev.obr.compressor.quantizer;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Matrix;

/**
 * Scales and zero points fitted to a weight [rows, cols], GPTQ's way: one pair per row, or per group of columns in a row. All arithmetic is in float32, so that a code depends on the
 * scale exactly as it is stored.
 */
public final class WeightQuantizer {
    /** No range is narrower. */
    private static final float NARROWEST = 1e-5f;

    private final WeightGrid grid;
    private final int cols;
    private final int groupSize;
    private final int groups;
    private final float[] scale;
    private final float[] zero;

    private WeightQuantizer(WeightGrid grid, int rows, int cols) {
        this.grid = grid;
        this.cols = cols;
        this.groupSize = grid.groupSize() == 0 ? Math.max(cols, 1) : grid.groupSize();
        this.groups = Math.ceilDiv(cols, groupSize);
        this.scale = new float[rows * groups];
        this.zero = new float[rows * groups];
    }

    /** Fits the grid to {@code weight}; rows are shared out to the team. */
    public static WeightQuantizer fit(Matrix weight, WeightGrid grid, ThreadTeam team) {
        WeightQuantizer quantizer = new WeightQuantizer(grid, weight.rows(), weight.cols());
        team.run(weight.rows(), row -> {
            for (int group = 0; group < quantizer.groups; group++) {
                quantizer.refit(weight, row, group);
            }
        });
        return quantizer;
    }

    /** Fits one group of one row anew, to {@code weight} as it is now. */
    public void refit(Matrix weight, int row, int group) {
        int from = row * cols + group * groupSize;
        int to = Math.min(from + groupSize, (row + 1) * cols);
        float[] w = weight.values();
        float lo = grid.groupSize() == 0 ? 0 : Float.POSITIVE_INFINITY; // a row's range holds zero, a group's need not
        float hi = grid.groupSize() == 0 ? 0 : Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            lo = Math.min(lo, w[i]);
            hi = Math.max(hi, w[i]);
        }
        if (grid.symmetric()) {
            hi = Math.max(Math.max(Math.abs(lo), hi), NARROWEST);
            lo = 0;
        } else if (lo == 0 && hi == 0) {
            lo = -1;
            hi = 1;
        }
        int at = row * groups + group;
        scale[at] = Math.max(hi - lo, NARROWEST) / grid.highest();
        zero[at] = zeroOf(lo, scale[at]);
        if (grid.clipSearch() && hi - lo >= NARROWEST) {
            ClipSearch best = new ClipSearch(grid, w, from, to);
            best.search(lo, hi);
            scale[at] = best.scale();
            zero[at] = best.zero();
        }
    }

    /** The code of zero: {@code rint(-lo / scale)}; 0 in a symmetric grid, whose {@code lo} is 0. */
    static float zeroOf(float lo, float scale) {
        return lo == 0 ? 0 : (float) Math.rint(-lo / scale);
    }

    /** The code of a value at (row, col). */
    public int code(int row, int col, float value) {
        int at = row * groups + col / groupSize;
        double code = Math.rint(value / scale[at]) + zero[at];
        return (int) Math.clamp(code, grid.lowest(), grid.highest());
    }

    /** What a code at (row, col) stands for. */
    public float dequantize(int row, int col, int code) {
        int at = row * groups + col / groupSize;
        return scale[at] * (code - zero[at]);
    }

    /** The value of the grid that {@code value} at (row, col) becomes. */
    public float round(int row, int col, float value) {
        return dequantize(row, col, code(row, col, value));
    }

    public WeightGrid grid() {
        return grid;
    }

    /** Columns that share a scale. */
    public int groupSize() {
        return groupSize;
    }

    /** Scales [rows · groups of a row]; shared, not copied. */
    public float[] scale() {
        return scale;
    }

    /** Zero points [rows · groups of a row], whole numbers; shared, not copied. */
    public float[] zero() {
        return zero;
    }
}
