package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.gpu.systems.GradientKernels;
import dev.obr.kernels.linalg.GradientVectors;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The vectors of many rows' conjugate gradients on a GPU. They stay there; what travels in an iteration are a step's length, a share and some sums of each row.
 *
 * <p>The preconditioner is {@code M = μ I + Z Zᵀ} on a row's unknowns R, inverted by Woodbury's formula. The small matrices {@code μ I + Z_Rᵀ Z_R} of all rows are one product: the rows' masks times the columns'
 * {@code z zᵀ}. Their factors are one batched call, and so are the solves with them.
 */
final class CudaGradients implements GradientVectors {
    private final CudaDevice device;
    private final CudaMemory h;
    private final int columns;
    private final int rank;
    private final double mu;
    private final int capacity;
    private final Owned resources = new Owned();
    private final CudaStream stream;
    private final CudaBlas blas;
    private final CudaSolver solver;
    private final GradientKernels kernels;
    private final CudaMemory z; // [columns][rank]
    private final CudaMemory outer; // [columns][rank][rank]
    private final RowMemory of;
    private int rows;

    /**
     * @param h f32 [columns][columns] on the device
     * @param low Z [columns, rank]
     * @param most rows that are wanted at once
     */
    CudaGradients(CudaDevice device, CudaMemory h, Matrix low, double mu, int most) {
        this.device = device;
        this.h = h;
        this.mu = mu;
        columns = low.rows();
        rank = low.cols();
        try {
            stream = resources.add((CudaStream) device.newStream());
            blas = resources.add(CudaBlas.on(device, stream));
            solver = resources.add(CudaSolver.on(device, stream));
            kernels = resources.add(new GradientKernels(device));
            CallMemory constants = resources.add(new CallMemory(device, stream));
            z = constants.copyIn(MemorySegment.ofArray(low.values()));
            outer = constants.of(4L * columns * rank * rank);
            kernels.outerProducts(stream, columns, rank, z, outer);
            of = rowMemory(most);
            capacity = of.capacity;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** For as many rows as there is memory for. */
    private RowMemory rowMemory(int most) {
        for (int count = most; ; count = (count + 1) / 2) {
            CallMemory memory = new CallMemory(device, stream);
            try {
                RowMemory made = new RowMemory(memory, count);
                resources.add(memory);
                return made;
            } catch (OutOfGpuMemoryException e) {
                memory.close();
                if (count == 1) {
                    throw new OutOfGpuMemoryException(device + " has no room for the vectors of one row of " + columns
                            + " columns beside their matrix, " + 4L * columns * columns
                            + " bytes: choose --device cpu");
                }
            }
        }
    }

    /** What rows have on the device. */
    private final class RowMemory {
        final int capacity;
        final GradientKernels.Vectors vectors;
        final CudaMemory r;
        final CudaMemory p;
        final CudaMemory y;
        final CudaMemory x;
        final CudaMemory b;
        final CudaMemory unknown;
        final CudaMemory small; // f32 [rows][rank]
        final CudaMemory factors; // f32 [rows][rank][rank]
        final CudaMemory info;
        final CudaMemory sums; // f64 [rows][3]
        final CudaMemory scalars; // f32 [rows]
        final CudaMemory done; // int32 [rows]
        final At factorsAt; // addresses, of each row's matrix and vector
        final At smallAt;

        RowMemory(CallMemory memory, int count) {
            long bytes = 4L * count * columns;
            capacity = count;
            b = memory.of(bytes);
            x = memory.of(bytes);
            r = memory.of(bytes);
            p = memory.of(bytes);
            y = memory.of(bytes);
            unknown = memory.of(bytes / 4);
            vectors = new GradientKernels.Vectors(columns, b, x, r, p, y, unknown);
            small = memory.of(4L * count * rank);
            factors = memory.of(4L * count * rank * rank);
            info = memory.of(4L * count);
            sums = memory.of(8L * GradientKernels.SUMS * count);
            scalars = memory.of(4L * count);
            done = memory.of(4L * count);
            long[] matrices = new long[count];
            long[] solutions = new long[count];
            Arrays.setAll(matrices, row -> factors.address() + 4L * row * rank * rank);
            Arrays.setAll(solutions, row -> small.address() + 4L * row * rank);
            factorsAt = At.of(memory.copyIn(MemorySegment.ofArray(matrices)), 0);
            smallAt = At.of(memory.copyIn(MemorySegment.ofArray(solutions)), 0);
        }
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public Residuals begin(Matrix right, boolean[] unknown, int top, int rows) {
        if (rows < 1 || rows > capacity || right.cols() != columns) {
            throw new IllegalArgumentException(rows + " rows of " + right.cols() + " columns, where there is room for "
                    + capacity + " of " + columns);
        }
        this.rows = rows;
        long bytes = 4L * rows * columns;
        byte[] counts = new byte[rows * columns];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = (byte) (unknown[top * columns + i] ? 1 : 0);
        }
        stream.copyIn(MemorySegment.ofArray(right.values()).asSlice(4L * top * columns, bytes), of.b, 0);
        stream.copyIn(MemorySegment.ofArray(counts), of.unknown, 0);
        stream.fill(of.x, 0, bytes, (byte) 0);
        stream.fill(of.p, 0, bytes, (byte) 0); // a first share of nothing
        factorPreconditioners();
        stream.fill(of.y, 0, bytes, (byte) 0);
        kernels.residual(stream, rows, of.vectors, of.sums);
        return residuals();
    }

    /** {@code μ I + Z_Rᵀ Z_R = L Lᵀ} of every row. */
    private void factorPreconditioners() {
        float[] scaled = new float[rows * rank * rank];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < rank; i++) {
                scaled[(row * rank + i) * rank + i] = (float) mu;
            }
        }
        stream.copyIn(MemorySegment.ofArray(scaled), of.factors, 0);
        kernels.mask(stream, rows, of.vectors);
        int squared = rank * rank;
        product(Transpose.NO, squared, columns, of.y, At.of(outer, squared), 1, At.of(of.factors, squared));
        solver.cholesky(rank, of.factorsAt, rank, of.info, 0, rows);
        int[] codes = new int[rows];
        stream.copyOut(of.info, 0, MemorySegment.ofArray(codes));
        stream.synchronize();
        for (int code : codes) {
            CudaLinearAlgebra.requireRightArguments(code);
            if (code > 0) {
                throw new NotPositiveDefiniteException(code);
            }
        }
    }

    @Override
    public Residuals residual() {
        multiply(of.x);
        kernels.residual(stream, rows, of.vectors, of.sums);
        return residuals();
    }

    @Override
    public double[] precondition() {
        product(Transpose.NO, rank, columns, of.r, At.of(z, rank), 0, At.of(of.small, rank));
        blas.solve(Transpose.NO, rank, 1, of.factorsAt, rank, of.smallAt, rank, rows);
        blas.solve(Transpose.YES, rank, 1, of.factorsAt, rank, of.smallAt, rank, rows);
        product(Transpose.YES, columns, rank, of.small, At.of(z, rank), 0, At.of(of.y, columns));
        kernels.precondition(stream, rows, of.vectors, (float) (1 / mu), of.sums);
        return doubles(rows);
    }

    @Override
    public void turn(float[] share, boolean[] done) {
        int[] flags = new int[rows];
        Arrays.setAll(flags, row -> done[row] ? 1 : 0);
        stream.copyIn(MemorySegment.ofArray(share).asSlice(0, 4L * rows), of.scalars, 0);
        stream.copyIn(MemorySegment.ofArray(flags), of.done, 0);
        kernels.turn(stream, rows, of.vectors, of.scalars, of.done);
    }

    @Override
    public double[] curvature() {
        multiply(of.p);
        kernels.dots(stream, rows, of.vectors, of.sums);
        return doubles(rows);
    }

    @Override
    public Residuals step(float[] length) {
        stream.copyIn(MemorySegment.ofArray(length).asSlice(0, 4L * rows), of.scalars, 0);
        kernels.step(stream, rows, of.vectors, of.scalars, of.sums);
        return residuals();
    }

    @Override
    public void copyOut(Matrix to, int top) {
        stream.copyOut(of.x, 0, MemorySegment.ofArray(to.values()).asSlice(4L * top * columns, 4L * rows * columns));
        stream.synchronize();
    }

    /** y <- v H. */
    private void multiply(CudaMemory v) {
        product(Transpose.NO, columns, columns, v, At.of(h, columns), 0, At.of(of.y, columns));
    }

    /** {@code C [rows,n] <- V [rows,k] · op(B) + beta C}. */
    private void product(Transpose op, int n, int k, CudaMemory v, At b, float beta, At c) {
        blas.gemm(Transpose.NO, op, rows, n, k, 1, At.of(v, k), b, beta, c);
    }

    private Residuals residuals() {
        double[] all = doubles(rows * GradientKernels.SUMS);
        double[][] sums = new double[GradientKernels.SUMS][rows];
        for (int i = 0; i < all.length; i++) {
            sums[i % GradientKernels.SUMS][i / GradientKernels.SUMS] = all[i];
        }
        return new Residuals(sums[0], sums[1], sums[2]);
    }

    private double[] doubles(int count) {
        double[] values = new double[count];
        stream.copyOut(of.sums, 0, MemorySegment.ofArray(values));
        stream.synchronize();
        return values;
    }

    @Override
    public void close() {
        resources.close();
    }
}
