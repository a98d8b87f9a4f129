package dev.obr.kernels.linalg;

import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

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

    /** Memory of the host, of undefined contents. */
    interface HostBuffer extends Held {
        MemorySegment segment();
    }

    /** Memory of the host that the device reads and writes by itself, which is the fastest way there and back. */
    HostBuffer buffer(long bytes);

    /** Keeps {@code matrix} there for the calls that use all of it as a factor of a product; it must not change until it is let go. One that is held already stays so for as long as it was. */
    Held hold(Matrix matrix);

    /** Room for W [rows, cols], with undefined contents, to multiply tokens by. */
    HeldLinear linear(int rows, int cols);

    /** {@code Y [tokens, rows] <- X [tokens, cols] · Wᵀ} of each of the {@link #linear linear layers} that share the input X, which travels once. */
    void multiply(int tokens, MemorySegment x, List<HeldLinear.Product> products);

    /**
     * Room for the keys and values of so many positions, to attend to them.
     *
     * @return nothing where a sequence of that length is not worth the way
     * @throws dev.obr.kernels.gpu.OutOfGpuMemoryException where the memory has no room for it beside what else is to come
     */
    Optional<HeldAttention> attention(HeldAttention.Shape shape, int positions);

    /** Zeros [m,n], to which products are added. */
    ProductSum sum(int m, int n);

    /** Systems with principal submatrices of {@code h}, symmetric, which must not change meanwhile. */
    PrincipalSystems principalSystems(Matrix h);

    /**
     * The vectors of conjugate gradients with {@code h}, which is held until they are closed.
     *
     * @param low Z [cols, rank] of the preconditioner {@code M = μ I + Z Zᵀ}
     * @param most rows that are wanted at once
     * @throws dev.obr.kernels.ObrException where the memory has no room for one
     */
    GradientVectors gradients(Matrix h, Matrix low, double mu, int most);

    /**
     * Which weights [rows, cols] are kept: those of least score are pruned, of equal ones those on the left.
     *
     * @param pattern unstructured or grouped; of a last group that is short, what it lacks is pruned first
     * @param pruned of each row; only {@link Pattern#UNSTRUCTURED} asks for it
     */
    boolean[] select(Matrix weight, ColumnScores scores, Pattern pattern, int pruned);

    /**
     * Rounds column after column of V [rows, cols], pruned ones to zero, and moves each error into the columns after it: {@code v_i -= (v_j - q_j) / U_jj · U_ji}. Everything is in place.
     *
     * @param upper U [cols, cols]
     * @param kept [rows, cols]
     * @param firstColumn [rows]: columns before it are rounded and push no error
     */
    void sweep(Matrix v, Matrix upper, SweepGrid grid, boolean[] kept, int[] firstColumn);

    /**
     * Codes of rows and their signed scales.
     *
     * @param codes [rows, cols], 0 where nothing is kept
     * @param scale [rows], not 0
     * @param lowest code
     * @param highest code
     */
    record SignedCodes(byte[] codes, float[] scale, int lowest, int highest) {}

    /**
     * Improves codes and scales in place as {@link CoordinateDescent#improve} does.
     *
     * @param h H [cols, cols]
     * @param product W H [rows, cols]
     * @param gradient (Ŵ - W) H [rows, cols]
     * @param kept [rows, cols]
     */
    void descend(Matrix h, Matrix product, Matrix gradient, boolean[] kept, SignedCodes codes);
}
