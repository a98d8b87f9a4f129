package dev.obr.runtime.transformer;

/** Activations [rows, cols], float32, row-major, wherever the backend wants them. Belongs to the backend that made it and lives as long. */
public interface Tensor {
    /** Usually one row per token. */
    int rows();

    /** Components of one row. */
    int cols();

    /** A view of rows {@code from .. from+count-1}. */
    Tensor rows(int from, int count);

    /** The same elements as [rows, cols]. */
    Tensor reshape(int rows, int cols);
}
