package dev.obr.kernels.cpu;

import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Attention over codes in plain Java: the specification of what integer kernels compute.
 *
 * <p>With x' = step · (code - zero), one query head, and blocks of {@link KvTiles#BLOCK} positions from position 0 on:
 *
 * <pre>
 * score[p] = scale · step[p] · qStep · Σ_d q16[d] (code[p][d] - zero[p])      q16 = rint(q / qStep)    qStep = max |q| / most
 * e[p]     = exp(score[p] - largest of the block)
 * out[d]   = wStep · Σ_p w16[p] (code[p][d] - zero[p])                        w16 = rint(w / wStep)    w[p] = e[p] · step[p], wStep = max w / 32767
 * </pre>
 *
 * Both sums are of integers, and exact: {@code most} is 32767, or less where a sum of headDim products might not fit 32 bits.
 */
final class ScalarCodeAttention {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int LARGEST_WEIGHT = 32767;

    private final KvTiles tiles;
    private final KvQuantizer quantizer;
    private final int headDim;

    ScalarCodeAttention(KvTiles tiles) {
        this.tiles = tiles;
        this.quantizer = tiles.quantizer();
        this.headDim = tiles.headDim();
    }

    void store(
            boolean values,
            MemorySegment x,
            int stride,
            int tokens,
            int heads,
            MemorySegment memory,
            long headBytes,
            int position) {
        MemorySegment row = tiles.newRow();
        for (int t = 0; t < tokens; t++) {
            for (int h = 0; h < heads; h++) {
                quantizer.store(floats(x, (long) t * stride + h * headDim, headDim), 0, row, 0);
                tiles.put(row, memory.asSlice(h * headBytes), values, position + t);
            }
        }
    }

    void attend(
            MemorySegment q,
            int tokens,
            int group,
            int stride,
            MemorySegment keys,
            MemorySegment values,
            int first,
            int from,
            int to,
            float scale,
            MemorySegment results) {
        for (int i = 0; i < tokens * group; i++) {
            float[] query = floats(q, (long) (i / group) * stride + i % group * headDim, headDim);
            int end = Math.min(to, first + i / group);
            float[] result = nothing(headDim);
            for (int block = from; block < end; block += KvTiles.BLOCK) {
                merge(result, block(query, keys, values, block, Math.min(end, block + KvTiles.BLOCK), scale));
            }
            put(result, results, (long) i * result.length, result.length);
        }
    }

    private float[] block(float[] query, MemorySegment keys, MemorySegment values, int from, int to, float scale) {
        int most = Math.min(LARGEST_WEIGHT, Integer.MAX_VALUE / (((1 << tiles.bits()) - 1) * headDim));
        float largestQuery = 0;
        for (float v : query) {
            largestQuery = Math.max(largestQuery, Math.abs(v));
        }
        float queryStep = largestQuery == 0 ? 1 : largestQuery / most;
        int[] q16 = new int[headDim];
        for (int d = 0; d < headDim; d++) {
            q16[d] = (int) Math.clamp(Math.rint(query[d] / queryStep), -most, most);
        }
        MemorySegment row = tiles.newRow();
        double[] scores = new double[to - from];
        double largest = Double.NEGATIVE_INFINITY;
        for (int p = from; p < to; p++) {
            tiles.get(keys, false, p, row);
            int sum = 0;
            for (int d = 0; d < headDim; d++) {
                sum += q16[d] * (quantizer.code(row, 0, d) - quantizer.zero(row, 0));
            }
            scores[p - from] = (double) scale * quantizer.scale(row, 0) * queryStep * sum;
            largest = Math.max(largest, scores[p - from]);
        }
        return weighted(scores, largest, values, from);
    }

    private float[] weighted(double[] scores, double largest, MemorySegment values, int from) {
        MemorySegment row = tiles.newRow();
        double[] weights = new double[scores.length];
        double total = 0;
        double largestWeight = 0;
        for (int i = 0; i < scores.length; i++) {
            tiles.get(values, true, from + i, row);
            double e = Math.exp(scores[i] - largest);
            weights[i] = e * quantizer.scale(row, 0);
            total += e;
            largestWeight = Math.max(largestWeight, weights[i]);
        }
        double step = largestWeight / LARGEST_WEIGHT;
        int[] sums = new int[headDim];
        for (int i = 0; i < scores.length; i++) {
            tiles.get(values, true, from + i, row);
            int w16 = (int) Math.rint(weights[i] / step);
            for (int d = 0; d < headDim; d++) {
                sums[d] += w16 * (quantizer.code(row, 0, d) - quantizer.zero(row, 0));
            }
        }
        float[] result = new float[headDim + 2];
        for (int d = 0; d < headDim; d++) {
            result[d] = (float) (step * sums[d]);
        }
        result[headDim] = (float) total;
        result[headDim + 1] = (float) largest;
        return result;
    }

    static void merge(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, int stride) {
        int size = headDim + 2;
        for (int i = 0; i < tokens * group; i++) {
            float[] result = nothing(headDim);
            for (int s = 0; s < spans; s++) {
                merge(result, floats(results, ((long) s * tokens * group + i) * size, size));
            }
            for (int d = 0; d < headDim; d++) {
                result[d] /= result[headDim];
            }
            put(result, out, (long) (i / group) * stride + i % group * headDim, headDim);
        }
    }

    /** The result of no positions. */
    static float[] nothing(int headDim) {
        float[] result = new float[headDim + 2];
        result[headDim + 1] = Float.NEGATIVE_INFINITY;
        return result;
    }

    /** Result (out, sum, largest) of some positions and of the next ones -> of both. */
    static void merge(float[] result, float[] next) {
        int last = result.length - 1;
        float largest = Math.max(result[last], next[last]);
        double a = result[last] == largest ? 1 : Math.exp(result[last] - largest);
        double b = next[last] == largest ? 1 : Math.exp(next[last] - largest);
        for (int i = 0; i < last; i++) {
            result[i] = (float) (a * result[i] + b * next[i]);
        }
        result[last] = largest;
    }

    private static float[] floats(MemorySegment memory, long first, int n) {
        float[] y = new float[n];
        MemorySegment.copy(memory, FLOAT, first * Float.BYTES, y, 0, n);
        return y;
    }

    private static void put(float[] x, MemorySegment memory, long first, int n) {
        MemorySegment.copy(x, 0, memory, FLOAT, first * Float.BYTES, n);
    }
}
