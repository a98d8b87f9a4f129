package dev.obr.kernels.cpu;

import static dev.obr.kernels.cpu.Lanes.FLOATS;
import static dev.obr.kernels.cpu.Lanes.LENGTH;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * The linear layer with the Vector API: W [out,in] · x [tokens,in] -> y [tokens,out].
 *
 * <p>Three ways, by the number of tokens:
 *
 * <ol>
 *   <li>One token, weights that are floats: the dot product of each row with x, weights widened on the way. Bound: the bytes of W; half floats cost some 12 instructions a vector.
 *   <li>A few tokens, or codes: a row becomes floats once, then meets each token. Bound: two loads a multiply-add.
 *   <li>Many tokens: outer products of packed tiles, in which two vectors of W and four tokens feed eight multiply-adds:
 *       <pre>
 *       W tile: column k of 2 LENGTH rows is contiguous      x block: column k of 4 tokens is contiguous
 *           k0 | r0 r1 .. r15 |                                  k0 | t0 t1 t2 t3 |
 *           k1 | r0 r1 .. r15 |                                  k1 | t0 t1 t2 t3 |
 *       </pre>
 *       256 columns at a time, so that a tile stays in L1. Rows and tokens that are missing at the edges are zeros, computed and not stored.
 * </ol>
 *
 * <p>Any rows, tokens and cols that the type allows. Measured on one core of an AMD EPYC (Zen 3, 8 lanes, 51 GFMA/s in registers, 14-18 GB/s read, other programs running): half floats
 * 4.8 GB/s at one token (native: 13-16), 5 GFMA/s at 4 tokens, 18-22 GFMA/s at 512 (native: 35). The first call takes about half a second, until C2 has compiled it.
 *
 * <p>Loop bodies are short on purpose: beyond C2's inlining budget every vector becomes an object on the heap.
 */
final class VectorMatmul {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** From here on packing W pays. */
    private static final int MANY_TOKENS = 8;

    private static final int SLICE = 256;
    private static final int TILE_ROWS = 2 * LENGTH;
    private static final int TILE_TOKENS = 4;

    private final WeightMatrix w;
    private final MemorySegment x;
    private final int tokens;
    private final MemorySegment y;
    private final VectorUnpacker unpacker = new VectorUnpacker();

    VectorMatmul(WeightMatrix w, MemorySegment x, int tokens, MemorySegment y) {
        this.w = w;
        this.x = x;
        this.tokens = tokens;
        this.y = y;
    }

    /** Computes the rows {@code from <= o < to}. */
    void rows(int from, int to) {
        if (tokens >= MANY_TOKENS) {
            manyTokens(from, to);
        } else if (tokens == 1 && w.type().isFloat()) {
            oneToken(from, to);
        } else {
            fewTokens(from, to);
        }
    }

    private void oneToken(int from, int to) {
        float[] input = inputs();
        MemorySegment memory = w.memory();
        for (int o = from; o < to; o++) {
            long row = o * w.rowBytes();
            y.setAtIndex(
                    FLOAT,
                    o,
                    switch (w.type()) {
                        case F16 -> dotHalves(memory, row, input);
                        case BF16 -> dotBfloats(memory, row, input);
                        default -> dotFloats(memory, row, input);
                    });
        }
    }

    private static float dotHalves(MemorySegment memory, long row, float[] x) {
        FloatVector even = FloatVector.zero(FLOATS);
        FloatVector odd = FloatVector.zero(FLOATS);
        int k = 0;
        for (; k + 2 * LENGTH <= x.length; k += 2 * LENGTH) {
            even = Lanes.halves(memory, row + 2L * k).fma(FloatVector.fromArray(FLOATS, x, k), even);
            odd = Lanes.halves(memory, row + 2L * (k + LENGTH)).fma(FloatVector.fromArray(FLOATS, x, k + LENGTH), odd);
        }
        return Lanes.sum(even.add(odd)) + tail(DType.F16, memory, row + 2L * k, x, k);
    }

    private static float dotBfloats(MemorySegment memory, long row, float[] x) {
        FloatVector even = FloatVector.zero(FLOATS);
        FloatVector odd = FloatVector.zero(FLOATS);
        int k = 0;
        for (; k + 2 * LENGTH <= x.length; k += 2 * LENGTH) {
            even = Lanes.bfloats(memory, row + 2L * k).fma(FloatVector.fromArray(FLOATS, x, k), even);
            odd = Lanes.bfloats(memory, row + 2L * (k + LENGTH)).fma(FloatVector.fromArray(FLOATS, x, k + LENGTH), odd);
        }
        return Lanes.sum(even.add(odd)) + tail(DType.BF16, memory, row + 2L * k, x, k);
    }

    private static float dotFloats(MemorySegment memory, long row, float[] x) {
        FloatVector even = FloatVector.zero(FLOATS);
        FloatVector odd = FloatVector.zero(FLOATS);
        int k = 0;
        for (; k + 2 * LENGTH <= x.length; k += 2 * LENGTH) {
            even = Lanes.floats(memory, row + 4L * k).fma(FloatVector.fromArray(FLOATS, x, k), even);
            odd = Lanes.floats(memory, row + 4L * (k + LENGTH)).fma(FloatVector.fromArray(FLOATS, x, k + LENGTH), odd);
        }
        return Lanes.sum(even.add(odd)) + tail(DType.F32, memory, row + 4L * k, x, k);
    }

    /** The columns from {@code k} on, which fill no vector. */
    private static float tail(DType type, MemorySegment memory, long offset, float[] x, int k) {
        if (k == x.length) {
            return 0;
        }
        float[] weights = new float[x.length - k];
        Dequantizer.dequantize(type, memory, offset, weights.length, weights, 0);
        float sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * x[k + i];
        }
        return sum;
    }

    private void fewTokens(int from, int to) {
        float[] input = inputs();
        float[] row = new float[w.cols()];
        for (int o = from; o < to; o++) {
            unpacker.unpack(w.type(), w.memory(), o * w.rowBytes(), row.length, row, 0);
            for (int t = 0; t < tokens; t++) {
                y.setAtIndex(FLOAT, (long) t * w.rows() + o, dot(row, input, t * row.length));
            }
        }
    }

    private static float dot(float[] a, float[] b, int start) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = FloatVector.zero(FLOATS);
        FloatVector sum2 = FloatVector.zero(FLOATS);
        FloatVector sum3 = FloatVector.zero(FLOATS);
        int k = 0;
        for (; k + 4 * LENGTH <= a.length; k += 4 * LENGTH) {
            sum0 = at(a, k).fma(at(b, start + k), sum0);
            sum1 = at(a, k + LENGTH).fma(at(b, start + k + LENGTH), sum1);
            sum2 = at(a, k + 2 * LENGTH).fma(at(b, start + k + 2 * LENGTH), sum2);
            sum3 = at(a, k + 3 * LENGTH).fma(at(b, start + k + 3 * LENGTH), sum3);
        }
        float sum = Lanes.sum(sum0.add(sum1).add(sum2.add(sum3)));
        for (; k < a.length; k++) {
            sum += a[k] * b[start + k];
        }
        return sum;
    }

    private static FloatVector at(float[] a, int i) {
        return FloatVector.fromArray(FLOATS, a, i);
    }

    private float[] inputs() {
        float[] input = new float[Math.multiplyExact(tokens, w.cols())];
        MemorySegment.copy(x, FLOAT, 0, input, 0, input.length);
        return input;
    }

    private void manyTokens(int from, int to) {
        int blocks = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
        float[] xs = new float[blocks * TILE_TOKENS * SLICE];
        float[] tile = new float[TILE_ROWS * SLICE];
        float[] row = new float[SLICE];
        float[] sums = new float[TILE_ROWS * TILE_TOKENS];
        for (int k0 = 0; k0 < w.cols(); k0 += SLICE) {
            int n = Math.min(SLICE, w.cols() - k0);
            packInputs(xs, k0, n, row);
            for (int o = from; o < to; o += TILE_ROWS) {
                int rows = Math.min(TILE_ROWS, to - o);
                packWeights(tile, o, rows, k0, n, row);
                for (int b = 0; b < blocks; b++) {
                    outer(tile, xs, b * TILE_TOKENS * SLICE, n, sums);
                    addToResult(sums, b * TILE_TOKENS, o, rows, k0 > 0);
                }
            }
        }
    }

    /** x[t, k0 .. k0+n) -> xs[t / 4][k][t % 4]; tokens past the last stay zero. */
    private void packInputs(float[] xs, int k0, int n, float[] row) {
        for (int t = 0; t < tokens; t++) {
            MemorySegment.copy(x, FLOAT, ((long) t * w.cols() + k0) * Float.BYTES, row, 0, n);
            int to = t / TILE_TOKENS * TILE_TOKENS * SLICE + t % TILE_TOKENS;
            for (int k = 0; k < n; k++) {
                xs[to + k * TILE_TOKENS] = row[k];
            }
        }
    }

    /** W[o .. o+rows, k0 .. k0+n) -> tile[k][row]; rows past the last are zero. */
    private void packWeights(float[] tile, int o, int rows, int k0, int n, float[] row) {
        if (rows < TILE_ROWS) {
            Arrays.fill(tile, 0);
        }
        for (int r = 0; r < rows; r++) {
            long offset = (o + r) * w.rowBytes() + w.type().bytes(k0);
            unpacker.unpack(w.type(), w.memory(), offset, n, row, 0);
            for (int k = 0; k < n; k++) {
                tile[k * TILE_ROWS + r] = row[k];
            }
        }
    }

    /** sums[t][row] = the tile's rows · 4 tokens, over n columns. */
    private static void outer(float[] tile, float[] xs, int block, int n, float[] sums) {
        FloatVector low0 = FloatVector.zero(FLOATS);
        FloatVector low1 = FloatVector.zero(FLOATS);
        FloatVector low2 = FloatVector.zero(FLOATS);
        FloatVector low3 = FloatVector.zero(FLOATS);
        FloatVector high0 = FloatVector.zero(FLOATS);
        FloatVector high1 = FloatVector.zero(FLOATS);
        FloatVector high2 = FloatVector.zero(FLOATS);
        FloatVector high3 = FloatVector.zero(FLOATS);
        for (int k = 0; k < n; k++) {
            FloatVector low = FloatVector.fromArray(FLOATS, tile, k * TILE_ROWS);
            FloatVector high = FloatVector.fromArray(FLOATS, tile, k * TILE_ROWS + LENGTH);
            int at = block + k * TILE_TOKENS;
            FloatVector x0 = FloatVector.broadcast(FLOATS, xs[at]);
            low0 = low.fma(x0, low0);
            high0 = high.fma(x0, high0);
            FloatVector x1 = FloatVector.broadcast(FLOATS, xs[at + 1]);
            low1 = low.fma(x1, low1);
            high1 = high.fma(x1, high1);
            FloatVector x2 = FloatVector.broadcast(FLOATS, xs[at + 2]);
            low2 = low.fma(x2, low2);
            high2 = high.fma(x2, high2);
            FloatVector x3 = FloatVector.broadcast(FLOATS, xs[at + 3]);
            low3 = low.fma(x3, low3);
            high3 = high.fma(x3, high3);
        }
        low0.intoArray(sums, 0);
        high0.intoArray(sums, LENGTH);
        low1.intoArray(sums, TILE_ROWS);
        high1.intoArray(sums, TILE_ROWS + LENGTH);
        low2.intoArray(sums, 2 * TILE_ROWS);
        high2.intoArray(sums, 2 * TILE_ROWS + LENGTH);
        low3.intoArray(sums, 3 * TILE_ROWS);
        high3.intoArray(sums, 3 * TILE_ROWS + LENGTH);
    }

    private void addToResult(float[] sums, int firstToken, int o, int rows, boolean accumulate) {
        int present = Math.min(TILE_TOKENS, tokens - firstToken);
        for (int t = 0; t < present; t++) {
            long at = (long) (firstToken + t) * w.rows() + o;
            for (int r = 0; r < rows; r++) {
                float sum = sums[t * TILE_ROWS + r];
                y.setAtIndex(FLOAT, at + r, accumulate ? y.getAtIndex(FLOAT, at + r) + sum : sum);
            }
        }
    }
}
