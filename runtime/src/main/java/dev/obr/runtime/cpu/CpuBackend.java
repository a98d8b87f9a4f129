package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.KvTiles;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.DeviceOrder;
import dev.obr.runtime.transformer.DeviceWeight;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Linear;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.RotaryTable;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Runs a transformer on CPU kernels: splits each operation over a thread team and computes weights from where the file is mapped, in their own type.
 *
 * <p>What takes less than some microseconds (norms and additions of a single token) stays on the calling thread.
 */
public final class CpuBackend implements Backend {
    /** Elements below which splitting an element-wise operation costs more than it saves. */
    private static final long SMALL = 16_384;

    /** Floats of the widest vectors. */
    private static final long VECTOR = 16;

    private final CpuKernels kernels;
    private final String description;
    private final Precision precision;
    private final ThreadTeam team;
    private final Arena arena = Arena.ofShared();
    private final CpuLinear linear;
    private final CpuAttention attention;
    private final AtomicLong cacheBytes = new AtomicLong();
    private MemorySegment rotary = MemorySegment.NULL; // [positions, headDim] of the table used last
    private float[] rotaryRows = new float[0];

    /** Threads run wherever the system puts them. */
    public CpuBackend(CpuKernels kernels, String description, int threads, Precision precision) {
        this(kernels, description, new ThreadTeam(threads), precision);
    }

    /**
     * @param description which kernels these are and why
     * @param team the backend's from now on, closed with it
     * @param precision in which packed weights compute
     */
    public CpuBackend(CpuKernels kernels, String description, ThreadTeam team, Precision precision) {
        this.kernels = kernels;
        this.description = description;
        this.precision = precision;
        this.team = team;
        this.linear = new CpuLinear(kernels, precision, team, arena);
        this.attention = new CpuAttention(kernels, team, arena, precision);
    }

    @Override
    public String device() {
        return "cpu";
    }

    @Override
    public String description() {
        String integers = linear.description();
        return integers == null ? description : description + "; " + integers;
    }

    @Override
    public DeviceWeight load(WeightMatrix weight) {
        return CpuWeight.plain(weight);
    }

    @Override
    public DeviceWeight load(PackedMatrix weight) {
        return linear.load(weight);
    }

    @Override
    public DeviceWeight loadHead(PackedMatrix weight) {
        return linear.withFloatInputs(weight);
    }

    @Override
    public DeviceOrder load(ColumnOrder order) {
        return new CpuOrder(order);
    }

    @Override
    public Tensor vector(WeightMatrix weight) {
        CpuTensor vector = tensor(1, weight.cols());
        kernels.dequantizeRow(weight, 0, vector.memory());
        return vector;
    }

    @Override
    public CpuTensor tensor(int rows, int cols) {
        return new CpuTensor(arena.allocate(4L * rows * cols, 64), rows, cols);
    }

    @Override
    public KvCache newCache(ModelConfig config, KvType type, int capacity) {
        KvQuantizer quantizer = type.coded() ? new KvQuantizer(type.bits(), config.headDim()) : null;
        if (quantizer != null && !precision.simulated()) {
            return new CodeKvCache(config, new KvTiles(quantizer), capacity, cacheBytes);
        }
        return new FloatKvCache(config, type == KvType.F16 ? DType.F16 : DType.F32, quantizer, capacity, cacheBytes);
    }

    @Override
    public KvCache fork(KvCache cache, int length) {
        return ((CpuKvCache) cache).fork(length);
    }

    @Override
    public long cacheBytes() {
        return cacheBytes.get();
    }

    @Override
    public void embed(DeviceWeight table, int[] tokens, Tensor y) {
        for (int t = 0; t < tokens.length; t++) {
            kernels.dequantizeRow(((CpuWeight) table).matrix(), tokens[t], ((CpuTensor) y).from(t));
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
        forEachRow(
                x.rows(),
                x.cols(),
                row -> kernels.rmsNorm(cpu(x).from(row), cpu(weight).memory(), eps, x.cols(), cpu(y).from(row)));
    }

    @Override
    public void linear(Tensor x, @Nullable DeviceOrder order, List<Linear> layers, List<Tensor> ys) {
        linear.run(cpu(x), order == null ? null : ((CpuOrder) order).order(), layers, ys);
    }

    @Override
    public void hadamard(Tensor x, HadamardTransform transform) {
        int width = x.cols() / transform.size();
        forEachRow(x.rows(), x.cols(), row -> kernels.hadamard(cpu(x).from(row), transform, width));
    }

    @Override
    public void rope(Tensor x, int headDim, RotaryTable table, int firstPosition) {
        MemorySegment cosSin = rotaryRows(table, firstPosition + x.rows());
        forEachRow(
                x.rows(),
                x.cols(),
                row -> kernels.rope(
                        cpu(x).from(row),
                        x.cols() / headDim,
                        headDim,
                        cosSin.asSlice(4L * (firstPosition + row) * headDim)));
    }

    private MemorySegment rotaryRows(RotaryTable table, int positions) {
        float[] rows = table.rows(positions);
        if (rows != rotaryRows) {
            rotary = arena.allocate(4L * rows.length, 64);
            MemorySegment.copy(rows, 0, rotary, ValueLayout.JAVA_FLOAT, 0, rows.length);
            rotaryRows = rows;
        }
        return rotary;
    }

    @Override
    public void append(KvCache cache, int layer, Tensor keys, Tensor values) {
        attention.append((CpuKvCache) cache, layer, cpu(keys), cpu(values));
    }

    @Override
    public void attention(Tensor q, KvCache cache, int layer, Tensor y) {
        attention.run(cpu(q), (CpuKvCache) cache, layer, cpu(y));
    }

    @Override
    public void siluMul(Tensor gate, Tensor up) {
        forEachStretch(
                gate,
                (from, n) -> kernels.siluMul(
                        cpu(gate).memory().asSlice(4 * from), cpu(up).memory().asSlice(4 * from), n));
    }

    @Override
    public void add(Tensor x, Tensor y) {
        forEachStretch(
                x,
                (from, n) -> kernels.add(
                        cpu(x).memory().asSlice(4 * from), cpu(y).memory().asSlice(4 * from), n));
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor y) {
        for (int i = 0; i < rows.length; i++) {
            MemorySegment.copy(cpu(x).from(rows[i]), 0, cpu(y).from(i), 0, 4L * x.cols());
        }
    }

    @Override
    public void read(Tensor x, int row, float[] destination) {
        MemorySegment.copy(cpu(x).from(row), ValueLayout.JAVA_FLOAT, 0, destination, 0, x.cols());
    }

    @Override
    public void read(Tensor x, MemorySegment destination) {
        copy(x, cpu(x).memory(), destination);
    }

    @Override
    public void write(MemorySegment source, Tensor x) {
        copy(x, source, cpu(x).memory());
    }

    /** Copies as many floats as {@code shape} has: by all threads, unless memory belongs to this one. */
    private void copy(Tensor shape, MemorySegment source, MemorySegment destination) {
        if (team.canAccess(source) && team.canAccess(destination)) {
            forEachStretch(shape, (from, n) -> MemorySegment.copy(source, 4 * from, destination, 4 * from, 4 * n));
        } else {
            MemorySegment.copy(source, 0, destination, 0, 4L * shape.rows() * shape.cols());
        }
    }

    private interface Stretch {
        void run(long from, long n);
    }

    /** Splits the elements of a tensor into one stretch per thread, or none when there are few. */
    private void forEachStretch(Tensor x, Stretch body) {
        long n = (long) x.rows() * x.cols();
        int parts = n < SMALL ? 1 : team.threads();
        team.run(parts, part -> {
            long from = cut(n, part, parts);
            body.run(from, cut(n, part + 1, parts) - from);
        });
    }

    /** Where a part begins: a whole number of vectors, so that what a vector computes does not depend on how many parts there are. */
    private static long cut(long n, int part, int parts) {
        return part == parts ? n : n * part / parts / VECTOR * VECTOR;
    }

    private interface Row {
        void run(int row);
    }

    /** Splits the rows of a tensor into one stretch per thread, or none when there are few elements. */
    private void forEachRow(int rows, int cols, Row body) {
        int parts = (long) rows * cols < SMALL ? 1 : Math.min(rows, team.threads());
        team.run(parts, part -> {
            int end = (int) ((long) rows * (part + 1) / parts);
            for (int row = (int) ((long) rows * part / parts); row < end; row++) {
                body.run(row);
            }
        });
    }

    private static CpuTensor cpu(Tensor tensor) {
        return (CpuTensor) tensor;
    }

    @Override
    public void close() {
        team.close();
        arena.close();
    }
}
