package dev.obr.kernels.linalg;

/**
 * What a {@link LinearAlgebra} offers beyond its calls where it computes in a memory of its own: matrices that stay there, so that they do not travel with each call, and many small systems at
 * once. Whoever asked for something closes it.
 *
 * <p>Such an algebra uses all of its device in each call, so large matrices go to it whole, not in tiles.
 */
public interface DeviceAlgebra {
    /** Something in the device's memory, which {@link #close} frees. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /** Keeps {@code matrix} there for the calls that use all of it as a factor of a product; it must not change until it is let go. One that is held already stays so for as long as it was. */
    Held hold(Matrix matrix);

    /** Zeros [m,n], to which products are added. */
    ProductSum sum(int m, int n);

    /** Systems with principal submatrices of {@code h}, symmetric, which must not change meanwhile. */
    PrincipalSystems principalSystems(Matrix h);

    /**
     * Rounds column after column of V [rows, cols], pruned ones to zero, and moves each error into the columns after it: {@code v_i -= (v_j - q_j) / U_jj · U_ji}. Everything is in place.
     *
     * @param upper U [cols, cols]
     * @param kept [rows, cols]
     * @param firstColumn [rows]: columns before it are rounded and push no error
     */
    void sweep(Matrix v, Matrix upper, SweepGrid grid, boolean[] kept, int[] firstColumn);
}
