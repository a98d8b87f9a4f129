package dev.obr.kernels.linalg;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Columns in another order, and back: column j of the reordered matrix is column {@code column(j)} of the original.
 *
 * <p>If a weight's columns are reordered, its inputs are gathered in the same order: {@code W' x' = W x} with {@code x'[j] = x[column(j)]}. Immutable.
 */
public final class ColumnOrder {
    private final int[] columns;

    private ColumnOrder(int[] columns) {
        this.columns = columns;
    }

    /**
     * The order that takes {@code columns} one after the other.
     *
     * @throws IllegalArgumentException where they are no permutation of 0 to n - 1; the message names the first entry at fault
     */
    public static ColumnOrder of(int... columns) {
        boolean[] taken = new boolean[columns.length];
        for (int j = 0; j < columns.length; j++) {
            int column = columns[j];
            if (column < 0 || column >= columns.length) {
                throw new IllegalArgumentException(
                        "entry " + j + " is " + column + ", but there are columns 0 to " + (columns.length - 1));
            }
            if (taken[column]) {
                throw new IllegalArgumentException("entry " + j + " is " + column + ", which stands before it already");
            }
            taken[column] = true;
        }
        return new ColumnOrder(columns.clone());
    }

    /** By descending score, equal ones from the left. */
    public static ColumnOrder descending(double[] scores) {
        return new ColumnOrder(IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble(c -> -scores[c]))
                .mapToInt(Integer::intValue)
                .toArray());
    }

    /** By descending diagonal of {@code h}, equal ones from the left. */
    public static ColumnOrder descending(Matrix h) {
        return descending(
                IntStream.range(0, h.cols()).mapToDouble(c -> h.at(c, c)).toArray());
    }

    /** Columns in all. */
    public int size() {
        return columns.length;
    }

    /** The column that comes to stand at {@code j}. */
    public int column(int j) {
        return columns[j];
    }

    /** A copy of all columns in order. */
    public int[] columns() {
        return columns.clone();
    }

    /** {@code y[j] = x[column(j)]}; the arrays are different ones. */
    public void gather(float[] x, float[] y) {
        for (int j = 0; j < columns.length; j++) {
            y[j] = x[columns[j]];
        }
    }

    /** Undoes {@link #gather}: {@code x[column(j)] = y[j]}. */
    public void scatter(float[] y, float[] x) {
        for (int j = 0; j < columns.length; j++) {
            x[columns[j]] = y[j];
        }
    }

    /** The columns of {@code matrix} in this order. */
    public Matrix columnsOf(Matrix matrix) {
        Matrix ordered = Matrix.zeros(matrix.rows(), matrix.cols());
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                ordered.set(r, c, matrix.at(r, columns[c]));
            }
        }
        return ordered;
    }

    /** Rows and columns of {@code square} in this order. */
    public Matrix bothOf(Matrix square) {
        Matrix ordered = Matrix.zeros(square.rows(), square.cols());
        for (int r = 0; r < square.rows(); r++) {
            for (int c = 0; c < square.cols(); c++) {
                ordered.set(r, c, square.at(columns[r], columns[c]));
            }
        }
        return ordered;
    }

    /** Undoes {@link #columnsOf}. */
    public Matrix restore(Matrix ordered) {
        Matrix matrix = Matrix.zeros(ordered.rows(), ordered.cols());
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                matrix.set(r, columns[c], ordered.at(r, c));
            }
        }
        return matrix;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ColumnOrder order && Arrays.equals(columns, order.columns);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(columns);
    }

    @Override
    public String toString() {
        return Arrays.toString(columns);
    }
}
