package dev.obr.kernels.cpu;

import static dev.obr.kernels.cpu.Lanes.FLOATS;
import static dev.obr.kernels.cpu.Lanes.LENGTH;

import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Attention over codes with the Vector API: a block's codes become floats once, for all queries that see it.
 *
 * <pre>
 * scores  | p0 p1 p2 .. |  +=  q[d] ·  K d | p0 p1 p2 .. |            out | headDim |  +=  weight[p] ·  V p | headDim |
 * </pre>
 *
 * Keys are transposed for that, so that neither product adds up lanes. Floats in L2: 512 · headDim of them. Bound: the expanding of codes for few queries, L1 bandwidth for many.
 */
final class VectorCodeAttention {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final KvTiles tiles;
    private final KvQuantizer quantizer;
    private final int headDim;
    private final float[] keys; // [headDim, BLOCK]
    private final float[] values; // [BLOCK, headDim]
    private final float[] scores = new float[KvTiles.BLOCK];

    VectorCodeAttention(KvTiles tiles) {
        this.tiles = tiles;
        this.quantizer = tiles.quantizer();
        this.headDim = tiles.headDim();
        this.keys = new float[headDim * KvTiles.BLOCK];
        this.values = new float[headDim * KvTiles.BLOCK];
    }

    void attend(
            MemorySegment q,
            int tokens,
            int group,
            int stride,
            MemorySegment keyTiles,
            MemorySegment valueTiles,
            int first,
            int from,
            int to,
            float scale,
            MemorySegment results) {
        float[][] all = new float[tokens * group][];
        Arrays.setAll(all, i -> ScalarCodeAttention.nothing(headDim));
        float[] query = new float[headDim];
        for (int block = from; block < to; block += KvTiles.BLOCK) {
            expand(keyTiles, valueTiles, block, Math.min(to - block, KvTiles.BLOCK));
            for (int i = 0; i < all.length; i++) {
                int seen = Math.min(Math.min(to, first + i / group) - block, KvTiles.BLOCK);
                if (seen > 0) {
                    long at = (long) (i / group) * stride + i % group * headDim;
                    MemorySegment.copy(q, FLOAT, at * Float.BYTES, query, 0, headDim);
                    ScalarCodeAttention.merge(all[i], result(query, seen, scale));
                }
            }
        }
        for (int i = 0; i < all.length; i++) {
            MemorySegment.copy(all[i], 0, results, FLOAT, 4L * i * (headDim + 2), headDim + 2);
        }
    }

    private void expand(MemorySegment keyTiles, MemorySegment valueTiles, int block, int positions) {
        MemorySegment row = tiles.newRow();
        float[] key = new float[headDim];
        for (int p = 0; p < positions; p++) {
            tiles.get(keyTiles, false, block + p, row);
            quantizer.expand(row, 0, key, 0);
            for (int d = 0; d < headDim; d++) {
                keys[d * KvTiles.BLOCK + p] = key[d];
            }
            tiles.get(valueTiles, true, block + p, row);
            quantizer.expand(row, 0, values, p * headDim);
        }
    }

    /** One query over a block that is expanded. */
    private float[] result(float[] query, int seen, float scale) {
        Arrays.fill(scores, 0, seen, 0);
        for (int d = 0; d < headDim; d++) {
            Lanes.addWeighted(scale * query[d], keys, d * KvTiles.BLOCK, scores, 0, seen);
        }
        float largest = Float.NEGATIVE_INFINITY;
        for (int p = 0; p < seen; p++) {
            largest = Math.max(largest, scores[p]);
        }
        float[] result = new float[headDim + 2];
        result[headDim] = exponentials(seen, largest);
        result[headDim + 1] = largest;
        for (int p = 0; p < seen; p++) {
            Lanes.addWeighted(scores[p], values, p * headDim, result, 0, headDim);
        }
        return result;
    }

    /** scores = e^(scores - largest); returns their sum. */
    private float exponentials(int n, float largest) {
        FloatVector totals = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i + LENGTH <= n; i += LENGTH) {
            FloatVector e = Lanes.exp(FloatVector.fromArray(FLOATS, scores, i).sub(largest));
            e.intoArray(scores, i);
            totals = totals.add(e);
        }
        float total = Lanes.sum(totals);
        for (; i < n; i++) {
            scores[i] = (float) Math.exp(scores[i] - largest);
            total += scores[i];
        }
        return total;
    }
}
