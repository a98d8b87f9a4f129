package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The kernels in plain Java: the specification that the other twins are compared with, and what serves where they cannot.
 *
 * <p>Sums are kept in double, so a result is within one rounding of the exact one whatever the order of the terms. Bound: one multiply-add per 4 cycles, the latency of the running
 * sum; 0.9 GFMA/s measured on a Zen 3 core.
 */
public final class ScalarKernels implements CpuKernels {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public String instructionSet() {
        return "plain Java";
    }

    @Override
    public PackedKernels.Choice packed() {
        return PackedKernels.Choice.of(new ScalarPackedKernels());
    }

    // W [out,in] · x [tokens,in] -> y [tokens,out]: each row of W becomes floats once and meets every token
    @Override
    public void matmul(WeightMatrix w, int from, int to, MemorySegment x, int tokens, MemorySegment y) {
        int in = w.cols();
        float[] row = new float[in];
        float[] inputs = floats(x, 0, Math.multiplyExact(tokens, in));
        for (int o = from; o < to; o++) {
            Dequantizer.dequantize(w.type(), w.memory(), o * w.rowBytes(), in, row, 0);
            for (int t = 0; t < tokens; t++) {
                y.setAtIndex(FLOAT, (long) t * w.rows() + o, (float) dot(row, inputs, t * in));
            }
        }
    }

    private static double dot(float[] a, float[] b, int start) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[start + i];
        }
        return sum;
    }

    @Override
    public void dequantizeRow(WeightMatrix w, int row, MemorySegment y) {
        float[] floats = new float[w.cols()];
        Dequantizer.dequantize(w.type(), w.memory(), row * w.rowBytes(), w.cols(), floats, 0);
        MemorySegment.copy(floats, 0, y, FLOAT, 0, floats.length);
    }

    @Override
    public void rmsNorm(MemorySegment x, MemorySegment weight, float eps, int n, MemorySegment y) {
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double v = x.getAtIndex(FLOAT, i);
            squares += v * v;
        }
        float scale = (float) (1 / Math.sqrt(squares / n + eps));
        for (int i = 0; i < n; i++) {
            y.setAtIndex(FLOAT, i, x.getAtIndex(FLOAT, i) * scale * weight.getAtIndex(FLOAT, i));
        }
    }

    // (a, b) -> (a cos - b sin, b cos + a sin) for each pair (i, i + headDim/2) of each head
    @Override
    public void rope(MemorySegment x, int heads, int headDim, MemorySegment cosSin) {
        int half = headDim / 2;
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < half; i++) {
                long first = (long) h * headDim + i;
                float a = x.getAtIndex(FLOAT, first);
                float b = x.getAtIndex(FLOAT, first + half);
                float cos = cosSin.getAtIndex(FLOAT, i);
                float sin = cosSin.getAtIndex(FLOAT, half + i);
                x.setAtIndex(FLOAT, first, a * cos - b * sin);
                x.setAtIndex(FLOAT, first + half, b * cos + a * sin);
            }
        }
    }

    @Override
    public void hadamard(MemorySegment x, HadamardTransform transform, int width) {
        float[] columns = floats(x, 0, Math.multiplyExact(transform.size(), width));
        transform.applyAcross(columns, 0, width);
        MemorySegment.copy(columns, 0, x, FLOAT, 0, columns.length);
    }

    @Override
    public void attention(
            MemorySegment q,
            int group,
            int headDim,
            MemorySegment keys,
            MemorySegment values,
            DType kv,
            int positions,
            float scale,
            MemorySegment scores,
            MemorySegment out) {
        int elements = Math.multiplyExact(positions, headDim);
        float[] k = new float[elements];
        float[] v = new float[elements];
        Dequantizer.dequantize(kv, keys, 0, elements, k, 0);
        Dequantizer.dequantize(kv, values, 0, elements, v, 0);
        for (int g = 0; g < group; g++) {
            float[] query = floats(q, (long) g * headDim, headDim);
            double[] weights = new double[positions];
            for (int p = 0; p < positions; p++) {
                weights[p] = scale * dot(query, k, p * headDim);
            }
            softmax(weights);
            for (int p = 0; p < positions; p++) {
                scores.setAtIndex(FLOAT, (long) g * positions + p, (float) weights[p]);
            }
            for (int d = 0; d < headDim; d++) {
                double sum = 0;
                for (int p = 0; p < positions; p++) {
                    sum += weights[p] * v[p * headDim + d];
                }
                out.setAtIndex(FLOAT, (long) g * headDim + d, (float) sum);
            }
        }
    }

    private static void softmax(double[] s) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double v : s) {
            largest = Math.max(largest, v);
        }
        double total = 0;
        for (int i = 0; i < s.length; i++) {
            s[i] = Math.exp(s[i] - largest);
            total += s[i];
        }
        for (int i = 0; i < s.length; i++) {
            s[i] /= total;
        }
    }

    @Override
    public void storeCodes(
            KvTiles tiles,
            boolean values,
            MemorySegment x,
            int stride,
            int tokens,
            int heads,
            MemorySegment memory,
            long headBytes,
            int position) {
        new ScalarCodeAttention(tiles).store(values, x, stride, tokens, heads, memory, headBytes, position);
    }

    @Override
    public void attendCodes(
            KvTiles tiles,
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
        new ScalarCodeAttention(tiles).attend(q, tokens, group, stride, keys, values, first, from, to, scale, results);
    }

    @Override
    public void mergeAttention(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, int stride) {
        ScalarCodeAttention.merge(results, spans, tokens, group, headDim, out, stride);
    }

    // silu(g) = g / (1 + e^-g)
    @Override
    public void siluMul(MemorySegment gate, MemorySegment up, long n) {
        for (long i = 0; i < n; i++) {
            double g = gate.getAtIndex(FLOAT, i);
            gate.setAtIndex(FLOAT, i, (float) (g / (1 + Math.exp(-g)) * up.getAtIndex(FLOAT, i)));
        }
    }

    @Override
    public void add(MemorySegment x, MemorySegment y, long n) {
        for (long i = 0; i < n; i++) {
            x.setAtIndex(FLOAT, i, x.getAtIndex(FLOAT, i) + y.getAtIndex(FLOAT, i));
        }
    }

    @Override
    public void store(MemorySegment x, DType type, int n, MemorySegment y) {
        switch (type) {
            case F32 -> MemorySegment.copy(x, 0, y, 0, type.bytes(n));
            case F16 -> {
                for (int i = 0; i < n; i++) {
                    y.setAtIndex(HALF, i, Float.floatToFloat16(x.getAtIndex(FLOAT, i)));
                }
            }
            default -> throw new IllegalArgumentException("keys and values are cached as F32 or F16, not " + type);
        }
    }

    @Override
    public long read(MemorySegment memory) {
        long words = memory.byteSize() / Long.BYTES;
        long sum = 0;
        for (long i = 0; i < words; i++) {
            sum += memory.getAtIndex(LONG, i);
        }
        return sum;
    }

    private static float[] floats(MemorySegment memory, long first, int n) {
        float[] y = new float[n];
        MemorySegment.copy(memory, FLOAT, first * Float.BYTES, y, 0, n);
        return y;
    }
}
