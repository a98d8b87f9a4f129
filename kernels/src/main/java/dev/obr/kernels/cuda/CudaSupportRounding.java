package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.CudaBlas.Series;
import dev.obr.kernels.gpu.systems.RoundingKernels;
import dev.obr.kernels.linalg.PrincipalSystems.Rounded;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rounds a batch of systems along their factors, for all candidate scales at once, and keeps the best of each.
 *
 * <pre>
 *   U = y in every column                                         [order, candidates] of each system
 *   block of 64 unknowns, from the last to the first:
 *     U[block]   becomes Q, losses grow                           round_block
 *     U[before] -= L[block, before]ᵀ Q                            a batched product
 *   the candidate of least loss: its codes                        choose_candidate
 * </pre>
 */
final class CudaSupportRounding implements AutoCloseable {
    private final Owned parts = new Owned();
    private final CudaStream stream;
    private final CudaBlas blas;
    private final RoundingKernels kernels;
    private final CudaMemory l; // [capacity][order][order]
    private final int order;
    private final int candidates;
    private final CudaMemory u; // [capacity][order][candidates]
    private final CudaMemory scales; // [capacity][candidates]
    private final CudaMemory losses; // f64 [capacity][candidates]
    private final CudaMemory codes; // int8 [capacity][order]
    private final CudaMemory chosen; // int32 [capacity]
    private final CudaMemory least; // f64 [capacity]

    /**
     * @param blas on {@code stream}
     * @param l f32 [capacity][order][order], the factors
     */
    CudaSupportRounding(
            CudaDevice device,
            CudaStream stream,
            CudaBlas blas,
            RoundingKernels kernels,
            CudaMemory l,
            int capacity,
            int order,
            int candidates) {
        this.stream = stream;
        this.blas = blas;
        this.kernels = kernels;
        this.l = l;
        this.order = order;
        this.candidates = candidates;
        try {
            u = parts.add(device.own(device.allocate(4L * capacity * order * candidates)));
            scales = parts.add(device.own(device.allocate(4L * capacity * candidates)));
            losses = parts.add(device.own(device.allocate(8L * capacity * candidates)));
            codes = parts.add(device.own(device.allocate((long) capacity * order)));
            chosen = parts.add(device.own(device.allocate(4L * capacity)));
            least = parts.add(device.own(device.allocate(8L * capacity)));
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    /** What it takes for each system. */
    static long bytes(int order, int candidates) {
        return 4L * order * candidates + order + 12L * candidates + 12;
    }

    /**
     * Rounds the first systems.
     *
     * @param y L⁻¹ b, f32 [capacity][order], zero behind a system's last unknown
     * @param unknowns how many each system has
     * @param multiples of each system the candidates' scales
     */
    List<Rounded> round(CudaMemory y, int[] unknowns, float[][] multiples, int lowest, int highest) {
        int count = unknowns.length;
        float[] flat = new float[count * candidates];
        for (int s = 0; s < count; s++) {
            if (multiples[s].length != candidates) {
                throw new IllegalArgumentException(
                        multiples[s].length + " scales of a system, where room is for " + candidates);
            }
            System.arraycopy(multiples[s], 0, flat, s * candidates, candidates);
        }
        stream.copyIn(MemorySegment.ofArray(flat), scales, 0);
        RoundingKernels.Operands operands =
                new RoundingKernels.Operands(count, order, candidates, l, u, scales, losses);
        kernels.start(stream, operands, y);
        for (int end = order, begin; end > 0; end = begin) {
            begin = Math.max(0, end - RoundingKernels.BLOCK);
            kernels.round(stream, operands, begin, end - begin, lowest, highest);
            if (begin > 0) {
                blas.subtractProducts(
                        Transpose.YES,
                        Transpose.NO,
                        begin,
                        candidates,
                        end - begin,
                        new Series(new At(l, (long) begin * order, order), (long) order * order),
                        new Series(new At(u, (long) begin * candidates, candidates), (long) order * candidates),
                        new Series(At.of(u, candidates), (long) order * candidates),
                        count);
            }
        }
        kernels.choose(stream, operands, codes, chosen, least);
        return chosen(unknowns);
    }

    private List<Rounded> chosen(int[] unknowns) {
        int count = unknowns.length;
        byte[] allCodes = new byte[count * order];
        int[] best = new int[count];
        double[] loss = new double[count];
        stream.copyOut(codes, 0, MemorySegment.ofArray(allCodes));
        stream.copyOut(chosen, 0, MemorySegment.ofArray(best));
        stream.copyOut(least, 0, MemorySegment.ofArray(loss));
        stream.synchronize();
        List<Rounded> rounded = new ArrayList<>();
        for (int s = 0; s < count; s++) {
            byte[] own = Arrays.copyOfRange(allCodes, s * order, s * order + unknowns[s]);
            rounded.add(new Rounded(own, best[s], loss[s]));
        }
        return rounded;
    }

    @Override
    public void close() {
        parts.close();
    }
}
