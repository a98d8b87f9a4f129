package dev.obr.kernels.linalg;

import java.util.List;

/**
 * Systems {@code H[P,P] x = b} with principal submatrices of one symmetric positive definite H, each with unknowns P of its own: what restoring a layer row by row asks for, or finding its codes. They are solved
 * in batches, the next of which is prepared while this one is solved.
 *
 * <pre>
 *   begin(P)                 H[P,P] of every system is gathered          may overlap what an earlier batch computes
 *     .factor()              H[P,P] = L Lᵀ
 *     .solve(b)              x = H[P,P]⁻¹ b
 *     .push(e, k)            x = H[K,K]⁻¹ (H[K,P] e),  K the first k of P
 *     .round(b, s)           codes c, rounded along L, with the scale of s that brings s c nearest to x
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
     * @param candidates scales that {@link Batch#round} tries, 64 at most; 0 where nothing is rounded
     * @return how many a batch may have
     * @throws dev.obr.kernels.ObrException where the memory has no room for one
     */
    int reserve(int order, int most, int candidates);

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

        /**
         * Rounds while substituting backwards along the factor, once for each scale: {@code y = L⁻¹ b; for i from the last to the first: x = y_i / L_ii, q_i = s · code(x), y_j -= L_ij q_i for j < i}.
         *
         * @param b right-hand sides, as long as their unknowns
         * @param scales of each system those to be tried, none of them 0; as many as there is room for
         * @param lowest code, and {@code highest}
         * @return of each system the best; whatever comes of one that has no factor means nothing
         */
        List<Rounded> round(float[][] b, float[][] scales, int lowest, int highest);
    }

    /**
     * Codes of a system.
     *
     * @param codes of its unknowns
     * @param candidate which of the scales lost least, of equal ones the first
     * @param loss {@code |L⁻¹ b - s Lᵀ codes|²}
     */
    record Rounded(byte[] codes, int candidate, double loss) {}

    @Override
    void close();
}
