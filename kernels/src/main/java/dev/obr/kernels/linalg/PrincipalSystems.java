package dev.obr.kernels.linalg;

/**
 * Systems {@code H[P,P] x = b} with principal submatrices of one symmetric positive definite H, each with unknowns P of its own: what restoring a layer row by row asks for. They are solved
 * in batches, the next of which is prepared while this one is solved.
 *
 * <pre>
 *   begin(P)                 H[P,P] of every system is gathered          may overlap what an earlier batch computes
 *     .factor()              H[P,P] = L Lᵀ
 *     .solve(b)              x = H[P,P]⁻¹ b
 *     .push(e, k)            x = H[K,K]⁻¹ (H[K,P] e),  K the first k of P
 * </pre>
 *
 * <p>Solutions are refined once by a residual in double precision.
 */
public interface PrincipalSystems extends AutoCloseable {
    /**
     * Makes room for batches, two of which exist at a time.
     *
     * @param order unknowns of the largest system
     * @param most systems that are wanted in a batch
     * @return how many a batch may have
     * @throws dev.obr.kernels.ObrException where the memory has no room for one
     */
    int reserve(int order, int most);

    /** Begins on a batch; at most one earlier one may still be in use. @param unknowns P of each system, in the order of its equations; at least one each */
    Batch begin(int[][] unknowns);

    /** Some systems. */
    interface Batch {
        /** Of each system the order of the smallest leading block that has no factor in float32, and whose solutions mean nothing; 0 where all have one. */
        int[] factor();

        /** @param b right-hand sides, as long as their unknowns */
        float[][] solve(float[][] b);

        /**
         * Solves the leading equations for what moves values in all unknowns.
         *
         * @param e values, as long as their unknowns
         * @param leading how many of the unknowns are solved for, from the first on
         * @return x, zero in the others
         */
        float[][] push(float[][] e, int[] leading);
    }

    @Override
    void close();
}
