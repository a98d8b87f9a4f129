package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.DeviceScratch.Use;
import dev.obr.kernels.gpu.systems.DescentKernel;
import dev.obr.kernels.gpu.systems.SelectionKernels;
import dev.obr.kernels.gpu.systems.SweepKernel;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.GradientVectors;
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
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
    private final Map<float[], CudaMemory> held = new IdentityHashMap<>();
    private @Nullable SelectionKernels
            selection; // loaded when they are first asked for, as are the next; the device frees them
    private @Nullable SweepKernel sweep;
    private @Nullable DescentKernel descent;

    private CudaLinearAlgebra(CudaDevice device, LinearAlgebra host, long leastWork) {
        this.device = device;
        this.host = host;
        this.leastWork = leastWork;
        stream = (CudaStream) device.newStream();
        blas = CudaBlas.on(device, stream);
        solver = CudaSolver.on(device, stream);
        scratch = new DeviceScratch(device);
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
        Rectangle from = new Rectangle(a, rowsA, colsA);
        Rectangle with = new Rectangle(b, rowsB, colsB);
        Rectangle to = new Rectangle(c, m, n);
        synchronized (this) {
            At onDevice = beta == 0 ? room(Use.C, to) : copyIn(Use.C, to);
            blas.gemm(opA, opB, m, n, k, alpha, factor(Use.A, from), factor(Use.B, with), beta, onDevice);
            copyOut(onDevice, to, false);
        }
    }

    @Override
    public void syrk(int n, int k, float alpha, Block x, Block c) {
        if (isSmall(n, n, k)) {
            host.syrk(n, k, alpha, x, c);
            return;
        }
        Rectangle from = new Rectangle(x, k, n);
        Rectangle to = new Rectangle(c, n, n);
        synchronized (this) {
            At onDevice = copyIn(Use.C, to);
            blas.syrk(n, k, alpha, factor(Use.A, from), onDevice);
            copyOut(onDevice, to, true);
        }
    }

    @Override
    public void cholesky(int n, Block a) {
        if (isSmall(n, n, n)) {
            host.cholesky(n, a);
            return;
        }
        Rectangle matrix = new Rectangle(a, n, n);
        synchronized (this) {
            At onDevice = copyIn(Use.C, matrix);
            long bytes = solver.choleskyWorkspace(n, onDevice);
            CudaMemory info = scratch.of(Use.INFO, Integer.BYTES);
            solver.cholesky(n, onDevice, scratch.of(Use.WORKSPACE, bytes), bytes, info);
            requireSuccess(info);
            copyOut(onDevice, matrix, true);
        }
    }

    @Override
    public void solveLower(Transpose op, int n, Block l, float[] x) {
        if (isSmall(n, n, 1)) {
            host.solveLower(op, n, l, x);
            return;
        }
        Rectangle from = new Rectangle(l, n, n);
        Rectangle to = new Rectangle(new Block(x, 0, n), 1, n);
        synchronized (this) {
            At onDevice = copyIn(Use.C, to);
            blas.solve(op, n, 1, factor(Use.A, from), onDevice);
            copyOut(onDevice, to, false);
        }
    }

    @Override
    public void invertLower(int n, Block l) {
        if (isSmall(n, n, n)) {
            host.invertLower(n, l);
            return;
        }
        Rectangle matrix = new Rectangle(l, n, n);
        synchronized (this) {
            At inverse = copyIn(Use.C, identity(n));
            blas.solve(Transpose.YES, n, n, copyIn(Use.A, matrix), inverse); // the rows of L⁻¹ are columns of L⁻ᵀ
            copyOut(inverse, matrix, true);
        }
    }

    private static Rectangle identity(int n) {
        Matrix identity = Matrix.zeros(n, n);
        for (int i = 0; i < n; i++) {
            identity.set(i, i, 1);
        }
        return new Rectangle(Block.of(identity), n, n);
    }

    @Override
    public synchronized Held hold(Matrix matrix) {
        if (held.containsKey(matrix.values())) {
            return () -> {};
        }
        CudaMemory memory = device.own(device.allocate(Math.max(4, 4L * matrix.values().length)));
        stream.copyIn(MemorySegment.ofArray(matrix.values()), memory, 0);
        held.put(matrix.values(), memory);
        return () -> {
            synchronized (this) {
                if (held.remove(matrix.values(), memory)) {
                    memory.close();
                }
            }
        };
    }

    @Override
    public synchronized HeldLinear linear(int rows, int cols) {
        CudaMemory w = device.own(device.allocate(Math.max(4, 4L * rows * cols)));
        return new CudaHeldLinear(this, stream, blas, scratch, w, rows, cols);
    }

    @Override
    public ProductSum sum(int m, int n) {
        return new Sum(m, n);
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
            onDevice = held.get(h.values());
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
            SweepKernel kernel = sweep == null ? new SweepKernel(device) : sweep;
            sweep = kernel;
            try (CudaSweep one = new CudaSweep(device, stream, blas, kernel)) {
                one.run(v, upper, grid, kept, firstColumn);
            }
        }
    }

    @Override
    public synchronized void descend(Matrix h, Matrix product, Matrix gradient, boolean[] kept, SignedCodes codes) {
        if (product.values().length > 0) {
            scratch.clear();
            DescentKernel kernel = descent == null ? new DescentKernel(device) : descent;
            descent = kernel;
            try (Held there = hold(h);
                    CudaDescent one = new CudaDescent(device, stream, kernel)) {
                one.run(Objects.requireNonNull(held.get(h.values())), product, gradient, kept, codes);
            }
        }
    }

    @Override
    public synchronized boolean[] select(Matrix weight, ColumnScores scores, Pattern pattern, int pruned) {
        if (weight.values().length == 0) {
            return new boolean[0];
        }
        scratch.clear();
        SelectionKernels kernels = selection == null ? new SelectionKernels(device) : selection;
        selection = kernels;
        try (CudaSelection one = new CudaSelection(device, stream, kernels)) {
            return one.run(weight, scores, pattern, pruned);
        }
    }

    /** Frees what it has on the GPU and lets go of it. */
    @Override
    public synchronized void close() {
        held.clear();
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

    /** A block whose size is known; on the device its rows lie one behind the other. */
    private record Rectangle(Block block, int rows, int cols) {
        Rectangle {
            block.check(rows, cols);
        }

        long bytes() {
            return (long) rows * cols * Float.BYTES;
        }

        boolean inOnePiece() {
            return block.stride() == cols || rows == 1;
        }

        MemorySegment segment() {
            return MemorySegment.ofArray(block.values()).asSlice((long) block.offset() * Float.BYTES, bytes());
        }
    }

    /** An operand that is only read, where it is held or after it has travelled. */
    private At factor(Use use, Rectangle rectangle) {
        CudaMemory present = held.get(rectangle.block.values());
        return present != null
                ? new At(present, rectangle.block.offset(), rectangle.block.stride())
                : copyIn(use, rectangle);
    }

    private At room(Use use, Rectangle rectangle) {
        return At.of(scratch.of(use, rectangle.bytes()), rectangle.cols);
    }

    private At copyIn(Use use, Rectangle rectangle) {
        At at = room(use, rectangle);
        stream.copyIn(rectangle.inOnePiece() ? rectangle.segment() : gathered(rectangle), at.memory(), 0);
        return at;
    }

    private static MemorySegment gathered(Rectangle rectangle) {
        Block block = rectangle.block;
        float[] values = new float[Math.multiplyExact(rectangle.rows, rectangle.cols)];
        for (int r = 0; r < rectangle.rows; r++) {
            System.arraycopy(
                    block.values(), block.offset() + r * block.stride(), values, r * rectangle.cols, rectangle.cols);
        }
        return MemorySegment.ofArray(values);
    }

    /** Waits for the result. What is beside it in the host's array is not written: other threads may use that. */
    private void copyOut(At at, Rectangle rectangle, boolean lowerOnly) {
        if (rectangle.inOnePiece() && !lowerOnly) {
            stream.copyOut(at.memory(), 0, rectangle.segment());
            stream.synchronize();
            return;
        }
        float[] values = new float[Math.multiplyExact(rectangle.rows, rectangle.cols)];
        stream.copyOut(at.memory(), 0, MemorySegment.ofArray(values));
        stream.synchronize();
        Block block = rectangle.block;
        for (int r = 0; r < rectangle.rows; r++) {
            int count = lowerOnly ? r + 1 : rectangle.cols;
            System.arraycopy(values, r * rectangle.cols, block.values(), block.offset() + r * block.stride(), count);
        }
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

    /** A sum that stays on the device. */
    private final class Sum implements ProductSum {
        private final Matrix value;
        private final CudaMemory memory;
        private boolean closed;

        Sum(int m, int n) {
            value = Matrix.zeros(m, n);
            synchronized (CudaLinearAlgebra.this) {
                memory = device.own(device.allocate(Math.max(4, 4L * m * n)));
                stream.fill(memory, 0, memory.byteSize(), (byte) 0);
            }
        }

        @Override
        public void add(int k, Block x, Block y) {
            int m = value.rows();
            int n = value.cols();
            synchronized (CudaLinearAlgebra.this) {
                blas.gemm(
                        Transpose.YES,
                        Transpose.NO,
                        m,
                        n,
                        k,
                        1,
                        factor(Use.A, new Rectangle(x, k, m)),
                        factor(Use.B, new Rectangle(y, k, n)),
                        1,
                        At.of(memory, n));
                stream.synchronize(); // the next call writes the operands' places
            }
        }

        @Override
        public void addGram(int k, Block x) {
            int n = value.cols();
            synchronized (CudaLinearAlgebra.this) {
                blas.syrk(n, k, 1, factor(Use.A, new Rectangle(x, k, n)), At.of(memory, n));
                stream.synchronize();
            }
        }

        @Override
        public Matrix value() {
            synchronized (CudaLinearAlgebra.this) {
                stream.copyOut(memory, 0, MemorySegment.ofArray(value.values()));
                stream.synchronize();
            }
            return value;
        }

        @Override
        public void close() {
            synchronized (CudaLinearAlgebra.this) {
                if (!closed) {
                    closed = true;
                    memory.close();
                }
            }
        }
    }
}
