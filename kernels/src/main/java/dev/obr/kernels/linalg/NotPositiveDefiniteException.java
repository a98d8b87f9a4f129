package dev.obr.kernels.linalg;

/** A matrix that was to be factored has no Cholesky factor in float32: callers add to its diagonal and try again, or say so. */
public final class NotPositiveDefiniteException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int order;

    /** @param order rows and columns of the smallest leading block that is not positive definite */
    public NotPositiveDefiniteException(int order) {
        super("the leading block of order " + order + " is not positive definite");
        this.order = order;
    }

    /** Rows and columns of the smallest leading block that is not positive definite. */
    public int order() {
        return order;
    }
}
