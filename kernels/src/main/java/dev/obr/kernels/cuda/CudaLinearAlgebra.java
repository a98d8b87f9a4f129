package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.DeviceScratch.Use;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.GradientVectors;
import dev.obr.kernels.linalg.HeldAttention;
import dev.obr.kernels.linalg.HeldLinear;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.PrincipalSystems;
import dev.obr.kernels.linalg.ProductSum;
import dev.obr.kernels.linalg.SweepGrid;
import dev.obr.kernels.linalg.Transpose;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Linear algebra on a GPU, by cuBLAS and cuSOLVER. What is too small to be worth the way there is computed on the host.
 *
 * <p>A GPU serves one call at a time: calls from many threads wait for each other. Operands travel with each call but for those that are held.
 */
public final class CudaLinearAlgebra implements LinearAlgebra, DeviceAlgebra, AutoCloseable {
    /** Products of fewer multiplications stay on the host: about a millisecond of a processor's, or of the way to the GPU. */
    private static final long LEAST_WORK = 1L << 26;

    /** Multiplications that a processor does while a byte travels: 50 billion a second beside 12 GB/s. */
    private static final int WORK_PER_BYTE = 4;

    private final CudaDevice device;
    private final LinearAlgebra host;
    private final long leastWork;
    private final CudaStream stream;
    private final CudaBlas blas;
    private final CudaSolver solver;
    private final DeviceScratch scratch;
    private final DeviceOperands operands;
    private final CompressionKernels kernels;

    private CudaLinearAlgebra(CudaDevice device, LinearAlgebra host, long leastWork) {
        this.device = device;
        this.host = host;
        this.leastWork = leastWork;
        stream = (CudaStream) device.newStream();
        blas = CudaBlas.on(device, stream);
        solver = CudaSolver.on(device, stream);
        scratch = new DeviceScratch(device);
        operands = new DeviceOperands(device, stream, scratch);
        kernels = new CompressionKernels(device);
    }

    /** Which library of CUDA is missing here, in one sentence that says what to do; empty where none is. */
    public static String missingLibrary() {
        try {
            CudaLibraries.require();
            return "";
        } catch (ObrException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /**
     * Takes a GPU into use.
     *
     * @param index as in {@link CudaDevices#list}
     * @param host for what is too small
     * @throws ObrException where there is no such GPU, or a library of CUDA is missing
     */
    public static CudaLinearAlgebra open(int index, LinearAlgebra host) {
        return open(index, host, LEAST_WORK);
    }

    static CudaLinearAlgebra open(int index, LinearAlgebra host, long leastWork) {
        CudaDevice device = CudaDevice.open(index);
        try {
            CudaLibraries.require();
            return new CudaLinearAlgebra(device, host, leastWork);
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
    }

    @Override
    public String description() {
        return "cuBLAS " + blas.version() + " on " + device + ", and " + host.description() + " for what is small";
    }

    @Override
    public Optional<DeviceAlgebra> device() {
        return Optional.of(this);
    }

    @Override
    public void gemm(
            Transpose opA, Transpose opB, int m, int n, int k, float alpha, Block a, Block b, float beta, Block c) {
        if (isSmall(m, n, k)) {
            host.gemm(opA, opB, m, n, k, alpha, a, b, beta, c);
            return;
        }
        int rowsA = opA == Transpose.NO ? m : k;
        int colsA = opA == Transpose.NO ? k : m;
        int rowsB = opB == Transpose.NO ? k : n;
        int colsB = opB == Transpose.NO ? n : k;
        HostRectangle from = new HostRectangle(a, rowsA, colsA);
        HostRectangle with = new HostRectangle(b, rowsB, colsB);
        HostRectangle to = new HostRectangle(c, m, n);
        synchronized (this) {
            At onDevice = beta == 0 ? operands.room(Use.C, to) : operands.copyIn(Use.C, to);
            blas.gemm(
                    opA,
                    opB,
                    m,
                    n,
                    k,
                    alpha,
                    operands.factor(Use.A, from),
                    operands.factor(Use.B, with),
                    beta,
                    onDevice);
            operands.copyOut(onDevice, to, false);
        }
    }

    @Override
    public void syrk(int n, int k, float alpha, Block x, Block c) {
        if (isSmall(n, n, k)) {
            host.syrk(n, k, alpha, x, c);
            return;
        }
        HostRectangle from = new HostRectangle(x, k, n);
        HostRectangle to = new HostRectangle(c, n, n);
        synchronized (this) {
            At onDevice = operands.copyIn(Use.C, to);
            blas.syrk(n, k, alpha, operands.factor(Use.A, from), onDevice);
            operands.copyOut(onDevice, to, true);
        }
    }

    @Override
    public void cholesky(int n, Block a) {
        if (isSmall(n, n, n)) {
            host.cholesky(n, a);
            return;
        }
        HostRectangle matrix = new HostRectangle(a, n, n);
        synchronized (this) {
            At onDevice = operands.copyIn(Use.C, matrix);
            long bytes = solver.choleskyWorkspace(n, onDevice);
            CudaMemory info = scratch.of(Use.INFO, Integer.BYTES);
            solver.cholesky(n, onDevice, scratch.of(Use.WORKSPACE, bytes), bytes, info);
            requireSuccess(info);
            operands.copyOut(onDevice, matrix, true);
        }
    }

    @Override
    public void solveLower(Transpose op, int n, Block l, float[] x) {
        if (isSmall(n, n, 1)) {
            host.solveLower(op, n, l, x);
            return;
        }
        HostRectangle from = new HostRectangle(l, n, n);
        HostRectangle to = new HostRectangle(new Block(x, 0, n), 1, n);
        synchronized (this) {
            At onDevice = operands.copyIn(Use.C, to);
            blas.solve(op, n, 1, operands.factor(Use.A, from), onDevice);
            operands.copyOut(onDevice, to, false);
        }
    }

    @Override
    public void invertLower(int n, Block l) {
        if (isSmall(n, n, n)) {
            host.invertLower(n, l);
            return;
        }
        HostRectangle matrix = new HostRectangle(l, n, n);
        synchronized (this) {
            At inverse = operands.copyIn(Use.C, HostRectangle.identity(n));
            blas.solve(
                    Transpose.YES, n, n, operands.copyIn(Use.A, matrix), inverse); // the rows of L⁻¹ are columns of L⁻ᵀ
            operands.copyOut(inverse, matrix, true);
        }
    }

    @Override
    public synchronized Held hold(Matrix matrix) {
        CudaMemory memory = operands.hold(matrix);
        if (memory == null) {
            return () -> {};
        }
        return () -> {
            synchronized (this) {
                operands.release(matrix, memory);
            }
        };
    }

    @Override
    public synchronized HeldLinear linear(int rows, int cols) {
        CudaMemory w = device.own(device.allocate(Math.max(4, 4L * rows * cols)));
        return new CudaHeldLinear(this, stream, w, rows, cols);
    }

    @Override
    public synchronized void multiply(int tokens, MemorySegment x, List<HeldLinear.Product> products) {
        CudaMemory input = scratch.of(Use.A, x.byteSize());
        stream.copyIn(x, input, 0);
        for (HeldLinear.Product product : products) {
            CudaMemory y = scratch.of(Use.C, product.y().byteSize());
            ((CudaHeldLinear) product.linear()).multiply(blas, tokens, input, x.byteSize(), y);
            stream.copyOut(y, 0, product.y()); // before the next one is written: the stream keeps the order
        }
        stream.synchronize();
    }

    @Override
    public synchronized Optional<HeldAttention> attention(HeldAttention.Shape shape, int positions) {
        long work = (long) shape.queryWidth() * positions * (positions + 1L); // of both products, under the diagonal
        if (!pays(work, 2L * Float.BYTES * positions * (shape.queryWidth() + shape.kvWidth()))) {
            return Optional.empty();
        }
        scratch.clear(); // a part of what is free is taken
        return Optional.of(new CudaAttention(this, device, stream, blas, scratch, kernels.softmax(), shape, positions));
    }

    @Override
    public ProductSum sum(int m, int n) {
        return new CudaProductSum(this, device, stream, blas, operands, m, n);
    }

    @Override
    public PrincipalSystems principalSystems(Matrix h) {
        synchronized (this) {
            scratch.clear(); // batches are as large as what is free
        }
        return new CudaPrincipalSystems(device, h);
    }

    @Override
    public GradientVectors gradients(Matrix h, Matrix low, double mu, int most) {
        CudaMemory onDevice;
        synchronized (this) {
            scratch.clear();
            onDevice = operands.held(h);
            if (onDevice == null) {
                throw new IllegalArgumentException("the matrix of conjugate gradients is not held");
            }
            stream.synchronize(); // it is there
        }
        return new CudaGradients(device, onDevice, low, mu, most);
    }

    @Override
    public synchronized void sweep(Matrix v, Matrix upper, SweepGrid grid, boolean[] kept, int[] firstColumn) {
        if (v.values().length > 0) {
            scratch.clear(); // batches are as large as what is free
            try (CudaSweep one = new CudaSweep(device, stream, blas, kernels.sweep())) {
                one.run(v, upper, grid, kept, firstColumn);
            }
        }
    }

    @Override
    public synchronized void descend(Matrix h, Matrix product, Matrix gradient, boolean[] kept, SignedCodes codes) {
        if (product.values().length > 0) {
            scratch.clear();
            try (Held there = hold(h);
                    CudaDescent one = new CudaDescent(device, stream, kernels.descent())) {
                one.run(Objects.requireNonNull(operands.held(h)), product, gradient, kept, codes);
            }
        }
    }

    @Override
    public synchronized boolean[] select(Matrix weight, ColumnScores scores, Pattern pattern, int pruned) {
        if (weight.values().length == 0) {
            return new boolean[0];
        }
        scratch.clear();
        try (CudaSelection one = new CudaSelection(device, stream, kernels.selection())) {
            return one.run(weight, scores, pattern, pruned);
        }
    }

    /** Frees what it has on the GPU and lets go of it. */
    @Override
    public synchronized void close() {
        device.close();
    }

    /** Whether a product [m,k] · [k,n] is done on the host before it could come back. */
    private boolean isSmall(int m, int n, int k) {
        long bytes = Float.BYTES * ((long) m * k + (long) k * n + (long) m * n);
        return (long) m * n * k == 0 || !pays((long) m * n * k, bytes);
    }

    /** Whether so many multiplications are worth the way of so many bytes. */
    boolean pays(long work, long bytes) {
        return leastWork == 0 || (work >= leastWork && work >= WORK_PER_BYTE * bytes);
    }

    private void requireSuccess(CudaMemory info) {
        MemorySegment code = MemorySegment.ofArray(new int[1]);
        stream.copyOut(info, 0, code);
        stream.synchronize();
        int order = code.get(ValueLayout.JAVA_INT, 0);
        requireRightArguments(order);
        if (order > 0) {
            throw new NotPositiveDefiniteException(order);
        }
    }

    /** @param info cuSOLVER's answer for a matrix: below 0 an argument's number */
    static void requireRightArguments(int info) {
        if (info < 0) {
            throw new IllegalStateException("cuSOLVER was given a wrong argument, number " + -info);
        }
    }
}
