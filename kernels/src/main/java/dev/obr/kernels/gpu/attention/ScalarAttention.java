package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.gpu.Exponential;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;

/**
 * What the kernels {@code decode_attention_kv4_*} with their merge and {@code prefill_attention_kv4_*} compute for one query head, bit by bit: attention over codes, in floats, with sums in the order of a thread block.
 *
 * <pre>
 *   score[p] = scale_k[p] · (Σ_d q[d] code_k[p][d] - zero_k[p] · Σ_d q[d])
 *   w[p]     = e^(score[p] - largest) · scale_v[p]                                   of a split of 256 positions
 *   out[d]   = Σ_p w[p] code_v[p][d] - Σ_p w[p] zero_v[p],  total = Σ_p e^(score[p] - largest)
 *
 *   all      = split by split: out, total ← e^(largest - common) · (out, total) + e^(largest_s - common) · (out_s, total_s), largest ← common, the larger of the two
 *   y[d]     = out[d] / total
 *
 *   Σ q code: components ascending in parts of 32, each a fused multiply-add; the parts in halves (of 4: 0 + 2, 1 + 3, then both)
 *   Σ q, total, Σ w zero: 32 lanes, l with l, l + 32, ..; the lanes in halves
 *   Σ w code: 1024 / headDim threads, t with positions t, t + 1024 / headDim, ..; the threads ascending
 * </pre>
 */
public final class ScalarAttention {
    /** Positions that one thread block takes. */
    public static final int SPLIT = 256;

    private static final int LANES = 32;
    private static final int PART = 32;
    private static final int COMPONENTS_AT_ONCE = 1024; // 128 threads of 8

    private final KvQuantizer quantizer;
    private final int headDim;

    public ScalarAttention(int headDim) {
        this.quantizer = new KvQuantizer(4, headDim);
        this.headDim = headDim;
    }

    /**
     * @param q [headDim]
     * @param keys of all positions, each as {@link KvQuantizer} lays it out; so are the values
     * @return [headDim]
     */
    public float[] attend(float[] q, MemorySegment keys, MemorySegment values, int positions) {
        float[] scaled = new float[headDim];
        for (int d = 0; d < headDim; d++) {
            scaled[d] = q[d] * (float) (1 / Math.sqrt(headDim));
        }
        Split[] splits = new Split[Math.ceilDiv(positions, SPLIT)];
        for (int s = 0; s < splits.length; s++) {
            splits[s] = split(scaled, keys, values, s * SPLIT, Math.min(positions, (s + 1) * SPLIT));
        }
        return merge(splits);
    }

    private record Split(float[] out, float largest, float total) {}

    private Split split(float[] q, MemorySegment keys, MemorySegment values, int from, int to) {
        float[] weights = new float[to - from];
        float sum = laneSum(headDim, (d, all) -> all + q[d]);
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < weights.length; i++) {
            long key = (long) (from + i) * quantizer.byteSize();
            weights[i] = quantizer.scale(keys, key) * Math.fma(-quantizer.zero(keys, key), sum, dot(q, keys, key));
            largest = Math.max(largest, weights[i]);
        }
        float[] exponentials = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            exponentials[i] = Exponential.of(weights[i] - largest);
            weights[i] = exponentials[i] * quantizer.scale(values, value(from + i));
        }
        float total = laneSum(weights.length, (i, all) -> all + exponentials[i]);
        float zero = laneSum(
                weights.length, (i, all) -> Math.fma(weights[i], (float) quantizer.zero(values, value(from + i)), all));
        float[] out = new float[headDim];
        int threads = COMPONENTS_AT_ONCE / headDim;
        for (int d = 0; d < headDim; d++) {
            for (int t = 0; t < threads; t++) {
                float part = 0;
                for (int i = t; i < weights.length; i += threads) {
                    part = Math.fma(weights[i], (float) quantizer.code(values, value(from + i), d), part);
                }
                out[d] += part;
            }
            out[d] -= zero;
        }
        return new Split(out, largest, total);
    }

    private long value(int position) {
        return (long) position * quantizer.byteSize();
    }

    private float dot(float[] q, MemorySegment keys, long key) {
        float[] parts = new float[Math.max(1, headDim / PART)];
        for (int d = 0; d < headDim; d++) {
            parts[d / PART] = Math.fma(q[d], (float) quantizer.code(keys, key, d), parts[d / PART]);
        }
        return halved(parts);
    }

    /** One more term of a sum. */
    private interface Term {
        float add(int i, float sum);
    }

    private static float laneSum(int n, Term term) {
        float[] lanes = new float[LANES];
        for (int i = 0; i < n; i++) {
            lanes[i % LANES] = term.add(i, lanes[i % LANES]);
        }
        return halved(lanes);
    }

    private static float halved(float[] lanes) {
        for (int half = lanes.length / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }

    private float[] merge(Split[] splits) {
        float[] out = new float[headDim];
        float largest = Float.NEGATIVE_INFINITY;
        float total = 0;
        for (Split split : splits) {
            float common = Math.max(largest, split.largest);
            float before = Exponential.of(largest - common);
            float next = Exponential.of(split.largest - common);
            largest = common;
            total = Math.fma(next, split.total, before * total);
            for (int d = 0; d < headDim; d++) {
                out[d] = Math.fma(next, split.out[d], before * out[d]);
            }
        }
        for (int d = 0; d < headDim; d++) {
            out[d] /= total;
        }
        return out;
    }
}
