package dev.obr.kernels.linalg;

/**
 * A dense float32 matrix on the Java heap, row-major. The values are shared, not copied: whoever holds the record may write them.
 *
 * @param values exactly {@code rows · cols} floats
 */
public record Matrix(int rows, int cols, float[] values) {
    public Matrix {
        if (rows < 0 || cols < 0 || (long) rows * cols != values.length) {
            throw new IllegalArgumentException(
                    "a matrix [" + rows + ", " + cols + "] does not have " + values.length + " values");
        }
    }

    /** Zeros [rows, cols]. */
    public static Matrix zeros(int rows, int cols) {
        return new Matrix(rows, cols, new float[Math.multiplyExact(rows, cols)]);
    }

    public float at(int row, int col) {
        return values[row * cols + col];
    }

    public void set(int row, int col, float value) {
        values[row * cols + col] = value;
    }

    /** A copy with values of its own. */
    public Matrix copy() {
        return new Matrix(rows, cols, values.clone());
    }
}
