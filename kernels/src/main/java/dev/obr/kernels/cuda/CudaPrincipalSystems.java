package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.gpu.systems.RoundingKernels;
import dev.obr.kernels.gpu.systems.SystemKernels;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.PrincipalSystems;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batches of systems on a GPU. Two streams: one gathers the matrices of the next batch while the other factors and solves this one.
 *
 * <pre>
 *   gathering    [ gather 0 ][ gather 1 ]            [ gather 2 ]
 *                           |event      |                        |
 *   computing               [ factor, solve 0 ][ factor, solve 1 ][ ...
 * </pre>
 *
 * <p>All systems of a batch have one order: shorter ones end with the identity, for which solutions and codes are zero.
 */
final class CudaPrincipalSystems implements PrincipalSystems {
    /** The share of the free memory that batches take: libraries take some, too. */
    private static final double SHARE = 0.9;

    private final CudaDevice device;
    private final int columns;
    private final Owned resources = new Owned();
    private final CudaStream gathering;
    private final CudaStream computing;
    private final CudaBlas blas;
    private final CudaSolver solver;
    private final SystemKernels kernels;
    private final RoundingKernels rounding;
    private final CudaMemory h;
    private final CudaMemory wide; // H in float64, for residuals
    private Slot[] slots = {};
    private int order;
    private int candidates;
    private int next;

    CudaPrincipalSystems(CudaDevice device, Matrix matrix) {
        this.device = device;
        columns = matrix.cols();
        try {
            gathering = resources.add((CudaStream) device.newStream());
            computing = resources.add((CudaStream) device.newStream());
            blas = resources.add(CudaBlas.on(device, computing));
            solver = resources.add(CudaSolver.on(device, computing));
            kernels = resources.add(new SystemKernels(device));
            rounding = resources.add(new RoundingKernels(device));
            long count = (long) columns * columns;
            h = memory(count * Float.BYTES);
            wide = memory(count * Double.BYTES);
            computing.copyIn(MemorySegment.ofArray(matrix.values()), h, 0);
            kernels.widen(computing, h, wide, count);
            computing.synchronize();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private CudaMemory memory(long bytes) {
        return resources.add(device.own(device.allocate(bytes)));
    }

    @Override
    public int reserve(int order, int most, int candidates) {
        release();
        this.order = order;
        this.candidates = candidates;
        long each = 2 * Slot.bytes(order, columns, candidates);
        long fitting = Math.max(1, (long) (SHARE * device.freeBytes()) / each);
        int count = (int) Math.min(Math.min(most, SystemKernels.MOST_SYSTEMS), fitting);
        while (true) {
            try {
                slots = new Slot[] {new Slot(count)};
                slots = new Slot[] {slots[0], new Slot(count)};
                return count;
            } catch (OutOfGpuMemoryException e) {
                release();
                if (count == 1) {
                    throw new OutOfGpuMemoryException(
                            device + " has no room for two systems of " + order + " unknowns out of " + columns
                                    + " columns, " + each + " bytes, beside the " + 12L * columns * columns
                                    + " bytes of their matrix: choose "
                                    + (candidates > 0 ? "--device cpu" : "--solver pcg, or --device cpu"));
                }
                count /= 2; // somebody else took memory, or it is in pieces
            }
        }
    }

    private void release() {
        for (Slot slot : slots) {
            slot.close();
        }
        slots = new Slot[] {};
        // a slot that was not completed is closed by its own constructor
    }

    @Override
    public Batch begin(int[][] unknowns) {
        Slot slot = slots[next];
        next = 1 - next;
        slot.gather(unknowns);
        return slot;
    }

    @Override
    public void close() {
        release();
        resources.close();
    }

    /** Memory for a batch, and the batch that is in it. */
    private final class Slot implements Batch {
        private final Owned parts = new Owned();
        private final GpuEvent gathered;
        private final CudaMemory unknowns; // int32 [systems][order]
        private final CudaMemory leading; // int32 [systems]
        private final CudaMemory a; // [systems][order][order], then the factors
        private final CudaMemory x; // [systems][order]; so are the next three
        private final CudaMemory e;
        private final CudaMemory b;
        private final CudaMemory r;
        private final CudaMemory v; // f64 [systems][columns]
        private final CudaMemory y;
        private final CudaFactors factors;
        private final @Nullable CudaSupportRounding support;
        private int[][] systems = {};
        private SystemKernels.Shape shape;

        Slot(int count) {
            try {
                long values = 4L * count * order;
                gathered = parts.add(device.newEvent());
                unknowns = memory(values);
                leading = memory(4L * count);
                a = memory(values * order);
                x = memory(values);
                e = memory(values);
                b = memory(values);
                r = memory(values);
                v = memory(8L * count * columns);
                y = memory(8L * count * columns);
                factors = parts.add(new CudaFactors(device, computing, blas, solver, a, r, count, order));
                support = candidates == 0
                        ? null
                        : parts.add(new CudaSupportRounding(
                                device, computing, blas, rounding, a, count, order, candidates));
                shape = new SystemKernels.Shape(count, order, columns);
            } catch (RuntimeException failure) {
                close();
                throw failure;
            }
        }

        /** What one system of a batch takes, and a little more. */
        static long bytes(int order, int columns, int candidates) {
            long rounded = candidates == 0 ? 0 : CudaSupportRounding.bytes(order, candidates);
            return 4L * order * order + 20L * order + 16L * columns + 4 + CudaFactors.bytes(order) + rounded;
        }

        private CudaMemory memory(long bytes) {
            return parts.add(device.own(device.allocate(bytes)));
        }

        /** Room for how many systems. */
        private int capacity() {
            return (int) (leading.byteSize() / 4);
        }

        void gather(int[][] systems) {
            if (systems.length < 1 || systems.length > capacity()) {
                throw new IllegalArgumentException(
                        systems.length + " systems in a batch that has room for " + capacity());
            }
            this.systems = systems;
            shape = new SystemKernels.Shape(systems.length, order, columns);
            int[] padded = new int[systems.length * order];
            Arrays.fill(padded, -1);
            for (int s = 0; s < systems.length; s++) {
                System.arraycopy(systems[s], 0, padded, s * order, systems[s].length);
            }
            gathering.copyIn(MemorySegment.ofArray(padded), unknowns, 0);
            kernels.gather(gathering, shape, h, unknowns, a);
            gathering.record(gathered);
        }

        @Override
        public int[] factor() {
            computing.await(gathered);
            factors.factor(systems.length);
            return factors.withoutFactor(systems.length);
        }

        @Override
        public float[][] solve(float[][] rightHandSides) {
            copyIn(rightHandSides, b);
            zero(e);
            return solveLeading(unknownsOfEach());
        }

        @Override
        public float[][] push(float[][] values, int[] leading) {
            copyIn(values, e);
            zero(b);
            return solveLeading(leading);
        }

        @Override
        public List<Rounded> round(float[][] rightHandSides, float[][] scales, int lowest, int highest) {
            if (support == null) {
                throw new IllegalStateException("no room was made for scales");
            }
            copyIn(rightHandSides, r);
            factors.solve(Transpose.NO, systems.length);
            return support.round(r, unknownsOfEach(), scales, lowest, highest);
        }

        private int[] unknownsOfEach() {
            return Arrays.stream(systems).mapToInt(p -> p.length).toArray();
        }

        /** x = H[K,K]⁻¹ (b + H[K,P] e), from x = 0 in two steps: x += H[K,K]⁻¹ r with r = b - H[K,P] (x - e). */
        private float[][] solveLeading(int[] counts) {
            computing.copyIn(MemorySegment.ofArray(counts), leading, 0);
            zero(x);
            for (int step = 0; step < 2; step++) {
                kernels.scatterDifference(computing, shape, x, e, unknowns, v);
                blas.gemmDouble(
                        shape.systems(), columns, columns, At.of(v, columns), At.of(wide, columns), At.of(y, columns));
                kernels.residual(computing, shape, b, y, unknowns, leading, r);
                factors.solve(Transpose.NO, systems.length); // L y = r, whose leading part is that of the leading block
                kernels.keepLeading(computing, shape, leading, r);
                factors.solve(Transpose.YES, systems.length); // Lᵀ x = y: what is zero at the end stays so
                kernels.add(computing, shape, x, r);
            }
            return copyOut(x);
        }

        private void zero(GpuMemory memory) {
            computing.fill(memory, 0, shape.values() * Float.BYTES, (byte) 0);
        }

        private void copyIn(float[][] values, CudaMemory to) {
            float[] padded = new float[systems.length * order];
            for (int s = 0; s < systems.length; s++) {
                System.arraycopy(values[s], 0, padded, s * order, systems[s].length);
            }
            computing.copyIn(MemorySegment.ofArray(padded), to, 0);
        }

        private float[][] copyOut(CudaMemory from) {
            float[] padded = new float[systems.length * order];
            computing.copyOut(from, 0, MemorySegment.ofArray(padded));
            computing.synchronize();
            float[][] values = new float[systems.length][];
            for (int s = 0; s < values.length; s++) {
                values[s] = Arrays.copyOfRange(padded, s * order, s * order + systems[s].length);
            }
            return values;
        }

        void close() {
            parts.close();
        }
    }
}
