package dev.obr.kernels.linalg;

/**
 * A rectangle inside a row-major array: element (r, c) is {@code values[offset + r · stride + c]}. Its height and width are the operation's to say.
 *
 * @param offset where its first element lies
 * @param stride distance between the beginnings of its rows
 */
public record Block(float[] values, int offset, int stride) {
    /** All of a matrix. */
    public static Block of(Matrix matrix) {
        return at(matrix, 0, 0);
    }

    /** The rectangle of a matrix that begins at (row, col). */
    public static Block at(Matrix matrix, int row, int col) {
        return new Block(matrix.values(), row * matrix.cols() + col, matrix.cols());
    }

    /** @throws IndexOutOfBoundsException if {@code rows} x {@code cols} elements do not lie inside the array */
    public void check(int rows, int cols) {
        if (rows < 0 || cols < 0 || offset < 0 || stride < Math.max(cols, 1)) {
            throw new IndexOutOfBoundsException(
                    rows + " x " + cols + " elements at offset " + offset + " with stride " + stride);
        }
        long end = rows == 0 || cols == 0 ? 0 : offset + (rows - 1L) * stride + cols;
        if (end > values.length) {
            throw new IndexOutOfBoundsException(rows + " x " + cols + " elements at offset " + offset + " with stride "
                    + stride + " end at " + end + " of " + values.length);
        }
    }
}
