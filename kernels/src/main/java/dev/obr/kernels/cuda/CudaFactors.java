package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.CudaBlas.Series;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;

/**
 * Cholesky factors of many matrices [order, order] in their places, on one stream.
 *
 * <p>A factor is found block column by block column, left-looking, as cuSOLVER's batched routine is made for small matrices: what the columns before contribute is one batched product, the corner
 * cuSOLVER's, what is below it a batched triangular solve.
 */
final class CudaFactors implements AutoCloseable {
    /** Columns of a block: about what cuSOLVER's batched factorisation is made for. */
    private static final int BLOCK = 256;

    private final Owned parts = new Owned();
    private final CudaStream stream;
    private final CudaBlas blas;
    private final CudaSolver solver;
    private final CudaMemory a; // [capacity][order][order]
    private final int order;
    private final int capacity;
    private final int blocks;
    private final CudaMemory info; // int32 [blocks][capacity]
    private final CudaMemory corners; // addresses [blocks][capacity] of the blocks on the diagonal
    private final CudaMemory below; // and of what is below them
    private final CudaMemory vectors; // addresses [capacity] of what is solved

    /**
     * @param blas and {@code solver} on {@code stream}
     * @param a f32 [capacity][order][order]
     * @param x f32 [capacity][order], the right-hand sides of {@link #solve}
     */
    CudaFactors(
            CudaDevice device,
            CudaStream stream,
            CudaBlas blas,
            CudaSolver solver,
            CudaMemory a,
            CudaMemory x,
            int capacity,
            int order) {
        this.stream = stream;
        this.blas = blas;
        this.solver = solver;
        this.a = a;
        this.order = order;
        this.capacity = capacity;
        blocks = Math.ceilDiv(order, BLOCK);
        try {
            info = parts.add(device.own(device.allocate(4L * blocks * capacity)));
            corners = parts.add(device.own(device.allocate(8L * blocks * capacity)));
            below = parts.add(device.own(device.allocate(8L * blocks * capacity)));
            vectors = parts.add(device.own(device.allocate(8L * capacity)));
            copyAddresses(x);
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    /** What it takes for each matrix. */
    static long bytes(int order) {
        return 20L * Math.ceilDiv(order, BLOCK) + 8;
    }

    private void copyAddresses(CudaMemory x) {
        long[] onDiagonal = new long[blocks * capacity];
        long[] underIt = new long[blocks * capacity];
        long[] ofX = new long[capacity];
        for (int s = 0; s < capacity; s++) {
            long matrix = a.address() + 4L * s * order * order;
            for (int block = 0; block < blocks; block++) {
                long begin = (long) block * BLOCK;
                long end = Math.min(begin + BLOCK, order);
                onDiagonal[block * capacity + s] = matrix + 4 * (begin * order + begin);
                underIt[block * capacity + s] = matrix + 4 * (end * order + begin);
            }
            ofX[s] = x.address() + 4L * s * order;
        }
        stream.copyIn(MemorySegment.ofArray(onDiagonal), corners, 0);
        stream.copyIn(MemorySegment.ofArray(underIt), below, 0);
        stream.copyIn(MemorySegment.ofArray(ofX), vectors, 0);
    }

    /** Queues the factors of the first {@code count} matrices. */
    void factor(int count) {
        long apart = (long) order * order;
        for (int begin = 0, block = 0; begin < order; begin += BLOCK, block++) {
            int size = Math.min(BLOCK, order - begin);
            int rest = order - begin - size;
            long table = (long) block * capacity;
            At corner = new At(corners, table, 0);
            if (begin > 0) { // A[begin.., block] -= L[begin.., 0..begin) L[block, 0..begin)ᵀ
                Series rows = new Series(new At(a, (long) begin * order, order), apart);
                Series to = new Series(new At(a, (long) begin * order + begin, order), apart);
                blas.subtractProducts(Transpose.NO, Transpose.YES, order - begin, size, begin, rows, rows, to, count);
            }
            solver.cholesky(size, corner, order, info, table, count);
            if (rest > 0) { // L21 = A21 L11⁻ᵀ
                blas.solve(Transpose.NO, size, rest, corner, order, new At(below, table, 0), order, count);
            }
        }
    }

    /** Of each matrix the order of the smallest leading block that has no factor, 0 where all have one: cuSOLVER's answer for each block of each matrix. */
    int[] withoutFactor(int count) {
        int[] codes = new int[blocks * capacity];
        stream.copyOut(info, 0, MemorySegment.ofArray(codes));
        stream.synchronize();
        int[] orders = new int[count];
        for (int s = 0; s < count; s++) {
            for (int block = 0; block < blocks && orders[s] == 0; block++) {
                int code = codes[block * capacity + s];
                CudaLinearAlgebra.requireRightArguments(code);
                orders[s] = code > 0 ? block * BLOCK + code : 0;
            }
        }
        return orders;
    }

    /** Queues {@code x <- op(L)⁻¹ x} of the first {@code count} matrices. */
    void solve(Transpose op, int count) {
        blas.solve(op, order, 1, At.of(corners, 0), order, At.of(vectors, 0), order, count);
    }

    @Override
    public void close() {
        parts.close();
    }
}
