package dev.obr.kernels.linalg;

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
    public static Matrix upper(LinearAlgebra algebra, Matrix h) {
        int n = h.rows();
        float[] u = reversed(h.values());
        Block whole = new Block(u, 0, n);
        algebra.cholesky(n, whole);
        algebra.invertLower(n, whole);
        for (int i = 0; i < n; i++) {
            java.util.Arrays.fill(u, i * n + i + 1, (i + 1) * n, 0);
        }
        reverse(u);
        return new Matrix(n, n, u);
    }

    /** Element (i, j) goes to (n-1-i, n-1-j): the array back to front. */
    private static float[] reversed(float[] values) {
        float[] copy = values.clone();
        reverse(copy);
        return copy;
    }

    private static void reverse(float[] values) {
        for (int i = 0, j = values.length - 1; i < j; i++, j--) {
            float swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }
}
