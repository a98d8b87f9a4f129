package dev.obr.kernels.linalg;

import dev.obr.kernels.cpu.ThreadTeam;

/**
 * The upper triangular U with {@code H⁻¹ = Uᵀ U}, which GPTQ and SparseGPT eliminate columns with.
 *
 * <p>Neither the inverse nor a second factorisation is needed: with the order of rows and columns reversed, H is {@code L Lᵀ}, and U is {@code L⁻¹} reversed back.
 */
public final class InverseFactor {
    private InverseFactor() {}

    /**
     * U [n,n] of the symmetric {@code h} [n,n]; zeros below the diagonal.
     *
     * @throws NotPositiveDefiniteException if h has no inverse factor in float32
     */
    public static Matrix upper(LinearAlgebra algebra, ThreadTeam team, Matrix h) {
        Matrix u = h.copy();
        reverse(u.values());
        TiledFactor factor = new TiledFactor(algebra, team);
        factor.cholesky(u);
        factor.invertLower(u);
        reverse(u.values());
        return u;
    }

    /** Element (i, j) goes to (n-1-i, n-1-j): the array back to front. */
    private static void reverse(float[] values) {
        for (int i = 0, j = values.length - 1; i < j; i++, j--) {
            float swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }
}
