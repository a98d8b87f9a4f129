package dev.obr.kernels.cpu;

import static dev.obr.kernels.cpu.Lanes.FLOATS;
import static dev.obr.kernels.cpu.Lanes.LENGTH;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Attention of one token over one KV head with the Vector API: {@code out[g] = softmax(scale · q[g] Kᵀ) V}.
 *
 * <p>q Kᵀ is a linear layer with K [positions, headDim] as its weight. Then each row of V becomes floats once and is added, weighted, to the sums of all query heads:
 *
 * <pre>
 * scores g0 | p0 p1 p2 .. |    V p0 | headDim |         out g0 | headDim |
 *        g1 | p0 p1 p2 .. |  ·   p1 | headDim |   ->        g1 | headDim |
 * </pre>
 *
 * The sums stay in L1. Bound: the bytes of K and V for one query head, multiply-adds for larger groups.
 */
final class VectorAttention {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final MemorySegment q;
    private final int group;
    private final int headDim;
    private final DType kv;
    private final int positions;

    VectorAttention(MemorySegment q, int group, int headDim, DType kv, int positions) {
        this.q = q;
        this.group = group;
        this.headDim = headDim;
        this.kv = kv;
        this.positions = positions;
    }

    void attend(MemorySegment keys, MemorySegment values, float scale, MemorySegment scores, MemorySegment out) {
        long bytes = kv.bytes((long) positions * headDim);
        WeightMatrix k = new WeightMatrix(kv, positions, headDim, keys.asSlice(0, bytes));
        new VectorMatmul(k, q, group, scores).rows(0, positions);

        float[] weights = new float[group * positions];
        MemorySegment.copy(scores, FLOAT, 0, weights, 0, weights.length);
        for (int g = 0; g < group; g++) {
            softmax(weights, g * positions, scale);
        }
        MemorySegment.copy(weights, 0, scores, FLOAT, 0, weights.length);

        float[] row = new float[headDim];
        float[] sums = new float[group * headDim];
        VectorUnpacker unpacker = new VectorUnpacker();
        for (int p = 0; p < positions; p++) {
            unpacker.unpack(kv, values, kv.bytes((long) p * headDim), headDim, row, 0);
            for (int g = 0; g < group; g++) {
                Lanes.addWeighted(weights[g * positions + p], row, 0, sums, g * headDim, headDim);
            }
        }
        MemorySegment.copy(sums, 0, out, FLOAT, 0, sums.length);
    }

    /** s = exp(scale · (s - largest)) / their sum, over {@code positions} scores from {@code start} on. */
    private void softmax(float[] s, int start, float scale) {
        int end = start + positions;
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = start; i < end; i++) {
            largest = Math.max(largest, s[i]);
        }
        FloatVector totals = FloatVector.zero(FLOATS);
        int i = start;
        for (; i + LENGTH <= end; i += LENGTH) {
            FloatVector e =
                    Lanes.exp(FloatVector.fromArray(FLOATS, s, i).sub(largest).mul(scale));
            e.intoArray(s, i);
            totals = totals.add(e);
        }
        float total = Lanes.sum(totals);
        for (; i < end; i++) {
            s[i] = (float) Math.exp((s[i] - largest) * scale);
            total += s[i];
        }
        float inverse = 1 / total;
        for (i = start; i < end; i++) {
            s[i] *= inverse;
        }
    }
}
