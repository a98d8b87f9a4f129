package dev.obr.kernels.linalg;

/**
 * What weights are worth keeping: a score for each, not negative, that comes of the weight and a factor of its column.
 *
 * @param by [columns]
 */
public record ColumnScores(Metric metric, float[] by) {
    /** How a score comes of weight and factor. */
    public enum Metric {
        /** {@code |w|}; factors do not count. */
        MAGNITUDE,
        /** {@code |w| · by}. */
        WANDA,
        /** {@code w² / by²}. */
        SPARSEGPT
    }

    /** Of the weight {@code w} in {@code column}; each step is rounded. */
    public float of(float w, int column) {
        return switch (metric) {
            case MAGNITUDE -> Math.abs(w);
            case WANDA -> Math.abs(w) * by[column];
            case SPARSEGPT -> w * w / (by[column] * by[column]);
        };
    }
}
