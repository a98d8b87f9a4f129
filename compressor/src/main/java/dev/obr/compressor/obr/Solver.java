package dev.obr.compressor.obr;

/** How the rows' linear systems are solved. */
public enum Solver {
    /** One factorisation a row: exact, of cost rows · cols³ / 24 at half sparsity. */
    CHOLESKY,
    /** All rows together by conjugate gradients, until what is left is certified to be small. */
    PCG,
    /** {@link #PCG} for layers of more than 2048 columns. */
    AUTO;

    private static final int WIDEST_FACTORED = 2048;

    /** What this means for a layer of {@code cols} columns. */
    Solver of(int cols) {
        return this != AUTO ? this : cols > WIDEST_FACTORED ? PCG : CHOLESKY;
    }
}
