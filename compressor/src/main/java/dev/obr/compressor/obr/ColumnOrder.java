package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.Matrix;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Columns in another order, and back. */
record ColumnOrder(int[] columns) {
    /** By descending diagonal of {@code h}, equal ones from the left. */
    static ColumnOrder descending(Matrix h) {
        return new ColumnOrder(IntStream.range(0, h.cols())
                .boxed()
                .sorted(Comparator.comparingDouble(c -> -h.at(c, c)))
                .mapToInt(Integer::intValue)
                .toArray());
    }

    /** Column i of the result is column {@code columns[i]}. */
    Matrix columnsOf(Matrix matrix) {
        Matrix ordered = Matrix.zeros(matrix.rows(), matrix.cols());
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                ordered.set(r, c, matrix.at(r, columns[c]));
            }
        }
        return ordered;
    }

    /** Rows and columns reordered. */
    Matrix bothOf(Matrix square) {
        Matrix ordered = Matrix.zeros(square.rows(), square.cols());
        for (int r = 0; r < square.rows(); r++) {
            for (int c = 0; c < square.cols(); c++) {
                ordered.set(r, c, square.at(columns[r], columns[c]));
            }
        }
        return ordered;
    }

    /** Undoes {@link #columnsOf}. */
    Matrix restore(Matrix ordered) {
        Matrix matrix = Matrix.zeros(ordered.rows(), ordered.cols());
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                matrix.set(r, columns[c], ordered.at(r, c));
            }
        }
        return matrix;
    }
}
