package dev.obr.kernels.linalg;

import java.util.Optional;

/**
 * Dense float32 linear algebra on row-major rectangles.
 *
 * <p>Every call computes in the calling thread alone, and many threads may call at once: callers run rows or panels of a matrix in parallel. Equal calls give equal bytes, whatever
 * runs beside them. Triangular matrices are lower ones; the elements above the diagonal are neither read nor written, so that a caller may keep something there.
 *
 * <p>On the CPU there are two implementations: {@link OpenBlasLinearAlgebra} where its library loads, else {@link JavaLinearAlgebra}, which is slower. {@link LinearAlgebras#choose} takes
 * the best and says which. {@code CudaLinearAlgebra} computes on a GPU what is large enough for it.
 */
public interface LinearAlgebra {
    /** Which implementation this is, for people. */
    String description();

    /**
     * {@code C [m,n] <- alpha · op(A) [m,k] · op(B) [k,n] + beta · C}. With {@code beta} 0, what C held does not matter, NaN included.
     *
     * @throws IndexOutOfBoundsException if a rectangle does not lie inside its array
     */
    void gemm(Transpose opA, Transpose opB, int m, int n, int k, float alpha, Block a, Block b, float beta, Block c);

    /** {@code C [n,n] <- C + alpha · Xᵀ X} of X [k,n]: the lower triangle. */
    void syrk(int n, int k, float alpha, Block x, Block c);

    /**
     * {@code A [n,n] = L Lᵀ}: the lower triangle of A becomes L.
     *
     * @throws NotPositiveDefiniteException if there is no such L; the triangle's content is lost
     */
    void cholesky(int n, Block a);

    /** {@code x [n] <- op(L)⁻¹ x}. */
    void solveLower(Transpose op, int n, Block l, float[] x);

    /** {@code L [n,n] <- L⁻¹}, lower triangular itself. */
    void invertLower(int n, Block l);

    /** What it offers beside where it computes in a memory of its own; the caller's is that memory otherwise. */
    default Optional<DeviceAlgebra> device() {
        return Optional.empty();
    }

    /** {@code x [n] <- (L Lᵀ)⁻¹ x}: solves with the matrix that L is the {@link #cholesky} factor of. */
    default void solveFactored(int n, Block l, float[] x) {
        solveLower(Transpose.NO, n, l, x);
        solveLower(Transpose.YES, n, l, x);
    }
}
