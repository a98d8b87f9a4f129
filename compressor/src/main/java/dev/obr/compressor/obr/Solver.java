package dev.obr.compressor.obr;

/** How the rows' linear systems are solved. */
public enum Solver {
    /** One factorisation a row: exact, of cost rows · cols³ / 24 at half sparsity. */
    CHOLESKY,
    /** All rows together by conjugate gradients, until what is left is certified to be small. */
    PCG,
    /** The one that is modelled to be faster, see {@link SolverChoice}; exact up to 2048 columns. */
    AUTO
}
