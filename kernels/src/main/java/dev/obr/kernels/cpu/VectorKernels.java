package dev.obr.kernels.cpu;

import static dev.obr.kernels.cpu.Lanes.FLOATS;
import static dev.obr.kernels.cpu.Lanes.LENGTH;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The kernels with {@code jdk.incubator.vector}: what serves where no native library loads. Linked only if that module is there.
 *
 * <p>The linear layer is {@link VectorMatmul}; what follows are single passes over rows of floats, whole vectors first, then a scalar tail. Bound: L1 and L2 bandwidth, except attention,
 * which is bound by the bytes of keys and values.
 */
final class VectorKernels implements CpuKernels {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
    private static final ScalarKernels SCALAR = new ScalarKernels();

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public PackedKernels.Choice packed() {
        return PackedKernels.Choice.none("there are none on the Vector API");
    }

    @Override
    public String instructionSet() {
        return "Vector API, " + FLOATS.vectorBitSize() + " bits, " + LENGTH + " lanes";
    }

    @Override
    public void matmul(WeightMatrix w, int from, int to, MemorySegment x, int tokens, MemorySegment y) {
        new VectorMatmul(w, x, tokens, y).rows(from, to);
    }

    @Override
    public void dequantizeRow(WeightMatrix w, int row, MemorySegment y) {
        float[] floats = new float[w.cols()];
        new VectorUnpacker().unpack(w.type(), w.memory(), row * w.rowBytes(), floats.length, floats, 0);
        MemorySegment.copy(floats, 0, y, FLOAT, 0, floats.length);
    }

    @Override
    public void rmsNorm(MemorySegment x, MemorySegment weight, float eps, int n, MemorySegment y) {
        FloatVector squares = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i + LENGTH <= n; i += LENGTH) {
            FloatVector v = at(x, i);
            squares = v.fma(v, squares);
        }
        float total = Lanes.sum(squares);
        for (; i < n; i++) {
            total += x.getAtIndex(FLOAT, i) * x.getAtIndex(FLOAT, i);
        }
        float scale = (float) (1 / Math.sqrt(total / n + eps));
        for (i = 0; i + LENGTH <= n; i += LENGTH) {
            put(at(x, i).mul(scale).mul(at(weight, i)), y, i);
        }
        for (; i < n; i++) {
            y.setAtIndex(FLOAT, i, x.getAtIndex(FLOAT, i) * scale * weight.getAtIndex(FLOAT, i));
        }
    }

    @Override
    public void rope(MemorySegment x, int heads, int headDim, MemorySegment cosSin) {
        int half = headDim / 2;
        int whole = FLOATS.loopBound(half);
        for (int h = 0; h < heads; h++) {
            long first = (long) h * headDim;
            for (int i = 0; i < whole; i += LENGTH) {
                FloatVector a = at(x, first + i);
                FloatVector b = at(x, first + half + i);
                FloatVector cos = at(cosSin, i);
                FloatVector sin = at(cosSin, half + i);
                put(a.mul(cos).sub(b.mul(sin)), x, first + i);
                put(b.mul(cos).add(a.mul(sin)), x, first + half + i);
            }
            for (int i = whole; i < half; i++) {
                float a = x.getAtIndex(FLOAT, first + i);
                float b = x.getAtIndex(FLOAT, first + half + i);
                float cos = cosSin.getAtIndex(FLOAT, i);
                float sin = cosSin.getAtIndex(FLOAT, half + i);
                x.setAtIndex(FLOAT, first + i, a * cos - b * sin);
                x.setAtIndex(FLOAT, first + half + i, b * cos + a * sin);
            }
        }
    }

    @Override
    public void hadamard(MemorySegment x, HadamardTransform transform, int width) {
        float[] columns = new float[Math.multiplyExact(transform.size(), width)];
        MemorySegment.copy(x, FLOAT, 0, columns, 0, columns.length);
        transform.applyAcross(columns, 0, width); // loops that C2 makes vectors of
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
        new VectorAttention(q, group, headDim, kv, positions).attend(keys, values, scale, scores, out);
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
        SCALAR.storeCodes(tiles, values, x, stride, tokens, heads, memory, headBytes, position);
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
        new VectorCodeAttention(tiles).attend(q, tokens, group, stride, keys, values, first, from, to, scale, results);
    }

    @Override
    public void mergeAttention(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, int stride) {
        SCALAR.mergeAttention(results, spans, tokens, group, headDim, out, stride);
    }

    @Override
    public void siluMul(MemorySegment gate, MemorySegment up, long n) {
        long i = 0;
        for (; i + LENGTH <= n; i += LENGTH) {
            FloatVector g = at(gate, i);
            put(g.div(Lanes.exp(g.neg()).add(1f)).mul(at(up, i)), gate, i);
        }
        SCALAR.siluMul(from(gate, i), from(up, i), n - i);
    }

    @Override
    public void add(MemorySegment x, MemorySegment y, long n) {
        long i = 0;
        for (; i + LENGTH <= n; i += LENGTH) {
            put(at(x, i).add(at(y, i)), x, i);
        }
        SCALAR.add(from(x, i), from(y, i), n - i);
    }

    /** Rounding to half floats has no vector form in the API; C2 turns the scalar conversion into one instruction. */
    @Override
    public void store(MemorySegment x, DType type, int n, MemorySegment y) {
        SCALAR.store(x, type, n, y);
    }

    @Override
    public long read(MemorySegment memory) {
        int step = LongVector.SPECIES_PREFERRED.length();
        long words = memory.byteSize() / Long.BYTES;
        LongVector even = LongVector.zero(LongVector.SPECIES_PREFERRED);
        LongVector odd = LongVector.zero(LongVector.SPECIES_PREFERRED);
        long i = 0;
        for (; i + 2 * step <= words; i += 2 * step) {
            even = even.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, memory, 8 * i, NATIVE));
            odd = odd.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, memory, 8 * (i + step), NATIVE));
        }
        return even.add(odd).reduceLanes(VectorOperators.ADD) + SCALAR.read(memory.asSlice(8 * i));
    }

    private static FloatVector at(MemorySegment memory, long index) {
        return FloatVector.fromMemorySegment(FLOATS, memory, 4 * index, NATIVE);
    }

    private static void put(FloatVector v, MemorySegment memory, long index) {
        v.intoMemorySegment(memory, 4 * index, NATIVE);
    }

    private static MemorySegment from(MemorySegment memory, long index) {
        return memory.asSlice(4 * index);
    }
}
