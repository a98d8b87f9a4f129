package dev.obr.compressor.obr;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.Matrix;

/** Finds values that are no numbers before they spread. */
final class Finite {
    private Finite() {}

    /** @throws ObrException at the first NaN or infinity, naming its place in {@code name} */
    static void check(Matrix matrix, String name) {
        check(matrix.values(), matrix.rows(), matrix.cols(), name);
    }

    /** As {@link #check(Matrix, String)}, of the first {@code rows · cols} values. */
    static void check(float[] values, int rows, int cols, String name) {
        for (int i = 0; i < rows * cols; i++) {
            if (!Float.isFinite(values[i])) {
                throw new ObrException(name + " has " + values[i] + " at [" + i / cols + ", " + i % cols
                        + "]; only finite numbers can be compressed: check the model and the calibration text");
            }
        }
    }
}
