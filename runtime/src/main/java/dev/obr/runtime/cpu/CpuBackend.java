package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.DeviceWeight;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Linear;
import dev.obr.runtime.transformer.RotaryTable;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Runs a transformer on CPU kernels: splits each operation over a thread team and computes weights from where the file is mapped, in their own type.
 *
 * <p>What takes less than some microseconds (norms and additions of a single token) stays on the calling thread.
 */
public final class CpuBackend implements Backend {
    /** Output rows are handed out in multiples of this, the widest register tile of the kernels. */
    private static final int ROW_GRAIN = 16;

    /** Parts per thread in a long operation: a thread that is held up leaves the rest to the others, and few wait long for the last part. */
    private static final int PARTS_PER_THREAD = 8;

    /** From this many tokens on, a part of a linear layer has {@link #PREFILL_ROWS} rows or more where it can: each part packs all of x for itself. */
    private static final int PREFILL_TOKENS = 64;

    private static final int PREFILL_ROWS = 1024;

    /** Elements below which splitting an element-wise operation costs more than it saves. */
    private static final long SMALL = 16_384;

    private final CpuKernels kernels;
    private final String description;
    private final ThreadTeam team;
    private final Arena arena = Arena.ofShared();
    private MemorySegment rotary = MemorySegment.NULL; // [positions, headDim] of the table used last
    private float[] rotaryRows = new float[0];
    private MemorySegment scores = MemorySegment.NULL; // attention scratch, one stretch per part

    /** @param description which kernels these are and why */
    public CpuBackend(CpuKernels kernels, String description, int threads) {
        this.kernels = kernels;
        this.description = description;
        this.team = new ThreadTeam(threads);
    }

    @Override
    public String device() {
        return "cpu";
    }

    @Override
    public String description() {
        return description;
    }

    private record CpuWeight(WeightMatrix matrix) implements DeviceWeight {
        @Override
        public int rows() {
            return matrix.rows();
        }

        @Override
        public int cols() {
            return matrix.cols();
        }
    }

    @Override
    public DeviceWeight load(WeightMatrix weight) {
        return new CpuWeight(weight);
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
        DType stored = switch (type) {
            case F32 -> DType.F32;
            case F16 -> DType.F16;
        };
        return new CpuKvCache(config, stored, capacity);
    }

    @Override
    public void embed(DeviceWeight table, int[] tokens, Tensor y) {
        for (int t = 0; t < tokens.length; t++) {
            kernels.dequantizeRow(((CpuWeight) table).matrix, tokens[t], ((CpuTensor) y).from(t));
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
    public void linear(Tensor x, List<Linear> layers, List<Tensor> ys) {
        int rows = 0;
        for (Linear layer : layers) {
            rows += layer.weight().rows();
        }
        int all = rows;
        int parts = parts(all, x.rows());
        // The layers' output rows count as one range, so that small ones (K, V) do not cost a barrier of their own.
        team.run(parts, part -> {
            int from = ThreadTeam.split(all, ROW_GRAIN, parts, part);
            int to = ThreadTeam.split(all, ROW_GRAIN, parts, part + 1);
            int start = 0;
            for (int i = 0; i < layers.size() && start < to; i++) {
                Linear layer = layers.get(i);
                int out = layer.weight().rows();
                int first = Math.max(from - start, 0);
                int end = Math.min(to - start, out);
                if (first < end) {
                    linearRows(layer, cpu(x), first, end, cpu(ys.get(i)));
                }
                start += out;
            }
        });
    }

    /** How many parts {@code rows} output rows are handed out in: equally many for each thread, unless there are few rows. */
    private int parts(int rows, int tokens) {
        int grain = tokens < PREFILL_TOKENS ? ROW_GRAIN : PREFILL_ROWS;
        int perThread = Math.clamp(rows / ((long) grain * team.threads()), 1, PARTS_PER_THREAD);
        return Math.min(perThread * team.threads(), (rows + ROW_GRAIN - 1) / ROW_GRAIN);
    }

    // y[t, from..to) = W[from..to, :] x[t, :] + b[from..to)
    private void linearRows(Linear layer, CpuTensor x, int from, int to, CpuTensor y) {
        kernels.matmul(((CpuWeight) layer.weight()).matrix, from, to, x.memory(), x.rows(), y.memory());
        if (layer.bias() != null) {
            MemorySegment bias = cpu(layer.bias()).memory().asSlice(4L * from);
            for (int t = 0; t < x.rows(); t++) {
                kernels.add(y.from(t).asSlice(4L * from), bias, to - from);
            }
        }
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
        CpuKvCache into = (CpuKvCache) cache;
        into.reserve(keys.rows());
        int headDim = into.headDim();
        int heads = keys.cols() / headDim;
        forEachRow(keys.rows(), keys.cols(), row -> {
            MemorySegment k = cpu(keys).from(row);
            MemorySegment v = cpu(values).from(row);
            for (int head = 0; head < heads; head++) {
                long at = 4L * head * headDim;
                int position = into.length() + row;
                kernels.store(k.asSlice(at), into.type(), headDim, into.keys(layer, head, position));
                kernels.store(v.asSlice(at), into.type(), headDim, into.values(layer, head, position));
            }
        });
    }

    @Override
    public void attention(Tensor q, KvCache cache, int layer, Tensor y) {
        CpuKvCache from = (CpuKvCache) cache;
        int headDim = from.headDim();
        int kvHeads = from.kvHeads();
        int group = q.cols() / headDim / kvHeads;
        int tokens = q.rows();
        int held = from.length();
        float scale = (float) (1 / Math.sqrt(headDim));
        // One part = one KV head and a stretch of tokens, so that a head's keys and values are read by few threads.
        int stretches = Math.min(tokens, team.threads() * PARTS_PER_THREAD);
        long scratch = (long) group * (held + tokens);
        reserveScores(kvHeads * stretches * scratch);
        team.run(kvHeads * stretches, part -> {
            int head = part % kvHeads;
            int stretch = part / kvHeads;
            MemorySegment keys = from.keys(layer, head, 0);
            MemorySegment values = from.values(layer, head, 0);
            MemorySegment partScores = scores.asSlice(4L * part * scratch, 4L * scratch);
            long at = 4L * head * group * headDim;
            for (int t = stretch; t < tokens; t += stretches) {
                kernels.attention(
                        cpu(q).from(t).asSlice(at),
                        group,
                        headDim,
                        keys,
                        values,
                        from.type(),
                        held + t + 1,
                        scale,
                        partScores,
                        cpu(y).from(t).asSlice(at));
            }
        });
    }

    private void reserveScores(long floats) {
        if (scores.byteSize() < 4 * floats) {
            scores = arena.allocate(Math.max(4 * floats, 2 * scores.byteSize()), 64);
        }
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
    public void read(Tensor x, int row, float[] destination) {
        MemorySegment.copy(cpu(x).from(row), ValueLayout.JAVA_FLOAT, 0, destination, 0, x.cols());
    }

    private interface Stretch {
        void run(long from, long n);
    }

    /** Splits the elements of a tensor into one stretch per thread, or none when there are few. */
    private void forEachStretch(Tensor x, Stretch body) {
        long n = (long) x.rows() * x.cols();
        int parts = n < SMALL ? 1 : team.threads();
        team.run(parts, part -> {
            long from = n * part / parts;
            body.run(from, n * (part + 1) / parts - from);
        });
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
