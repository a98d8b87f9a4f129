package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.gpu.Exponential;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;

/**
 * What the kernels {@code decode_attention_kv4_*} with their merge and {@code prefill_attention_kv4_*} compute for one query head, bit by bit: attention over codes in whole numbers of 16 bits.
 *
 * <pre>
 *   Q[d]     = rint(q[d] / step)                                                     step = max |q| / 32512
 *   score[p] = scale_k[p] step · (Σ_d Q[d] code_k[p][d] - zero_k[p] · Σ_d Q[d])
 *   e[p]     = e^(score[p] - largest)                                                of a block of 64 positions
 *   W[p]     = rint(e[p] scale_v[p] / step_w)                                        step_w = max e scale_v / 32512
 *   out[d]   = step_w · (Σ_p W[p] code_v[p][d] - Σ_p W[p] zero_v[p]),  total = Σ_p rint(2^21 e[p]) / 2^21
 *
 *   all      = block by block: out, total ← e^(largest - common) · (out, total) + e^(largest_b - common) · (out_b, total_b), largest ← common, the larger of the two
 *   y[d]     = out[d] / total
 * </pre>
 *
 * The sums within a block are of whole numbers: they have no order.
 */
public final class ScalarAttention {
    private static final int BLOCK = 64;
    private static final float MOST = 127 * 256; // of 16 bits in two digits of 8
    private static final float WHOLE = 0x1.8p23f; // what is added to it keeps a whole number in its low bits
    private static final float TOTAL = 0x1p21f;

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
        float most = 0;
        for (int d = 0; d < headDim; d++) {
            scaled[d] = q[d] * (float) (1 / Math.sqrt(headDim));
            most = Math.max(most, Math.abs(scaled[d]));
        }
        Query query = new Query(whole(scaled, most), most / MOST);
        float[] out = new float[headDim];
        float largest = Float.NEGATIVE_INFINITY;
        float total = 0;
        for (int from = 0; from < positions; from += BLOCK) {
            Block block = block(query, keys, values, from, Math.min(positions, from + BLOCK));
            float common = Math.max(largest, block.largest);
            float before = Exponential.of(largest - common);
            float next = Exponential.of(block.largest - common);
            largest = common;
            total = Math.fma(next, block.total, before * total);
            for (int d = 0; d < headDim; d++) {
                out[d] = Math.fma(next * block.step, (float) block.sums[d], before * out[d]);
            }
        }
        for (int d = 0; d < headDim; d++) {
            out[d] /= total;
        }
        return out;
    }

    /** @param step of the whole numbers */
    private record Query(int[] whole, float step) {}

    /** @param sums counted in steps */
    private record Block(int[] sums, float step, float largest, float total) {}

    /** x in whole numbers up to 32512, which stands for the largest. */
    private static int[] whole(float[] x, float largest) {
        float inverse = largest > 0 ? MOST / largest : 0;
        int[] whole = new int[x.length];
        for (int i = 0; i < x.length; i++) {
            whole[i] = (int) (Math.fma(x[i], inverse, WHOLE) - WHOLE);
        }
        return whole;
    }

    private Block block(Query q, MemorySegment keys, MemorySegment values, int from, int to) {
        int sum = 0;
        for (int whole : q.whole) {
            sum += whole;
        }
        float[] weights = new float[to - from];
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < weights.length; i++) {
            long key = at(from + i);
            int dot = -quantizer.zero(keys, key) * sum;
            for (int d = 0; d < headDim; d++) {
                dot += q.whole[d] * quantizer.code(keys, key, d);
            }
            weights[i] = quantizer.scale(keys, key) * q.step * dot;
            largest = Math.max(largest, weights[i]);
        }
        int total = 0;
        float most = 0;
        for (int i = 0; i < weights.length; i++) {
            float e = Exponential.of(weights[i] - largest);
            total += (int) Math.rint(e * TOTAL);
            weights[i] = e * quantizer.scale(values, at(from + i));
            most = Math.max(most, weights[i]);
        }
        int[] whole = whole(weights, most);
        int[] sums = new int[headDim];
        for (int i = 0; i < whole.length; i++) {
            for (int d = 0; d < headDim; d++) {
                sums[d] += whole[i] * (quantizer.code(values, at(from + i), d) - quantizer.zero(values, at(from + i)));
            }
        }
        return new Block(sums, most / MOST, largest, total / TOTAL);
    }

    private long at(int position) {
        return (long) position * quantizer.byteSize();
    }
}
