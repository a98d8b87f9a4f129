package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** One row of {@link KernelCases}: an operation with its type and sizes. The tests compare its results; a benchmark times the same row. */
public sealed interface KernelCase {
    /** Its operands, filled with the same random numbers each time, and a way to run it. */
    Prepared prepare(Arena arena);

    /** The result in double from a formulation of its own, and how far a float kernel may be from it: for each result a bound on the sum of its terms' roundings. */
    record Truth(double[] values, double[] tolerances) {}

    /** A case that is ready to run: as often as wanted, with the same result each time. */
    interface Prepared {
        /** Computes with {@code kernels}; returns the float results. */
        MemorySegment run(CpuKernels kernels);

        Truth truth();
    }

    /** W [rows,cols] · x [tokens,cols], rows from..to; the other columns of y stay 7. */
    record Matmul(DType type, int rows, int cols, int tokens, int from, int to) implements KernelCase {
        @Override
        public Prepared prepare(Arena arena) {
            Operands operands = new Operands(arena, hashCode());
            MemorySegment weights = operands.weights(type, (long) rows * cols);
            WeightMatrix w = new WeightMatrix(type, rows, cols, weights);
            MemorySegment x = operands.floats(tokens * cols);
            MemorySegment y = operands.floats(tokens * rows);
            return new Prepared() {
                @Override
                public MemorySegment run(CpuKernels kernels) {
                    Operands.fill(y, 7);
                    kernels.matmul(w, from, to, x, tokens, y);
                    return y;
                }

                @Override
                public Truth truth() {
                    double[] ws = Operands.decode(type, weights, rows * cols);
                    double[] values = new double[tokens * rows];
                    double[] tolerances = new double[values.length];
                    for (int i = 0; i < values.length; i++) {
                        int t = i / rows;
                        int o = i % rows;
                        if (o < from || o >= to) {
                            values[i] = 7;
                            continue;
                        }
                        double magnitude = 0;
                        double weights = 0;
                        double largest = 0;
                        for (int k = 0; k < cols; k++) {
                            double factor = Operands.get(x, t * cols + k);
                            double term = ws[o * cols + k] * factor;
                            values[i] += term;
                            magnitude += Math.abs(term);
                            weights += Math.abs(ws[o * cols + k]);
                            largest = Math.max(largest, Math.abs(factor));
                        }
                        boolean narrow = type == DType.CODES_8 || type == DType.CODES_4; // inputs of 16 bits will do
                        tolerances[i] = 2e-6 * magnitude + 1e-30 + (narrow ? weights * largest * 0x1p-15 : 0);
                    }
                    return new Truth(values, tolerances);
                }
            };
        }
    }

    /** One row of an embedding as floats: exact for plain types. */
    record DequantizeRow(DType type, int rows, int cols, int row) implements KernelCase {
        @Override
        public Prepared prepare(Arena arena) {
            Operands operands = new Operands(arena, hashCode());
            MemorySegment weights = operands.weights(type, (long) rows * cols);
            WeightMatrix w = new WeightMatrix(type, rows, cols, weights);
            MemorySegment y = operands.floats(cols);
            return new Prepared() {
                @Override
                public MemorySegment run(CpuKernels kernels) {
                    kernels.dequantizeRow(w, row, y);
                    return y;
                }

                @Override
                public Truth truth() {
                    double[] values = Arrays.copyOfRange(
                            Operands.decode(type, weights, rows * cols), row * cols, (row + 1) * cols);
                    double[] tolerances = new double[cols];
                    Arrays.fill(tolerances, type.blockSize() <= 2 ? 0 : 1e-6);
                    return new Truth(values, tolerances);
                }
            };
        }
    }

    /** softmax(scale q Kᵀ) V for a group of query heads. */
    record Attention(DType kv, int group, int headDim, int positions) implements KernelCase {
        @Override
        public Prepared prepare(Arena arena) {
            Operands operands = new Operands(arena, hashCode());
            MemorySegment q = operands.floats(group * headDim);
            MemorySegment keys = operands.weights(kv, (long) positions * headDim);
            MemorySegment values = operands.weights(kv, (long) positions * headDim);
            MemorySegment scores = operands.floats(group * positions);
            MemorySegment out = operands.floats(group * headDim);
            float scale = (float) (4 / Math.sqrt(headDim));
            return new Prepared() {
                @Override
                public MemorySegment run(CpuKernels kernels) {
                    kernels.attention(q, group, headDim, keys, values, kv, positions, scale, scores, out);
                    return out;
                }

                @Override
                public Truth truth() {
                    double[] k = Operands.decode(kv, keys, positions * headDim);
                    double[] v = Operands.decode(kv, values, positions * headDim);
                    double[] result = new double[group * headDim];
                    for (int g = 0; g < group; g++) {
                        double[] e = new double[positions];
                        for (int p = 0; p < positions; p++) {
                            double score = 0;
                            for (int d = 0; d < headDim; d++) {
                                score += Operands.get(q, g * headDim + d) * k[p * headDim + d];
                            }
                            e[p] = Math.exp(scale * score);
                        }
                        double total = Arrays.stream(e).sum();
                        for (int i = 0; i < headDim; i++) {
                            for (int p = 0; p < positions; p++) {
                                result[g * headDim + i] += e[p] / total * v[p * headDim + i];
                            }
                        }
                    }
                    double[] tolerances = new double[result.length];
                    Arrays.fill(tolerances, 2e-5);
                    return new Truth(result, tolerances);
                }
            };
        }
    }

    /**
     * Causal attention of some tokens over codes that were stored with the same kernels, in spans of blocks as a runtime may cut them. The truth is {@link KvQuantizer}'s definition in double,
     * with nothing rounded but keys and values; tolerances are what 16-bit queries and weights may be off.
     */
    record CodeAttention(int bits, int group, int headDim, int positions, int tokens, Shape shape)
            implements KernelCase {
        /** What is unusual. */
        public enum Shape {
            PLAIN,
            /** One component of the queries is 200 times as large as others. */
            OUTLIER,
            /** Keys are zero, so every position weighs the same; values too but at the last position. */
            ZEROS,
            /** Keys are all positive, values all negative: zero points at both ends of the codes. */
            ONE_SIDED
        }

        @Override
        public Prepared prepare(Arena arena) {
            Operands operands = new Operands(arena, hashCode());
            KvTiles tiles = new KvTiles(new KvQuantizer(bits, headDim));
            int stride = group * headDim + 3;
            MemorySegment q = operands.floats(tokens * stride);
            MemorySegment keys = operands.floats(positions * headDim);
            MemorySegment values = operands.floats(positions * headDim);
            shape(q, keys, values, stride);
            MemorySegment keyTiles = arena.allocate(tiles.bytes(positions), 64);
            MemorySegment valueTiles = arena.allocate(tiles.bytes(positions), 64);
            MemorySegment out = operands.floats(tokens * stride);
            float scale = (float) (2 / Math.sqrt(headDim));
            return new Prepared() {
                @Override
                public MemorySegment run(CpuKernels kernels) {
                    keyTiles.fill((byte) -1); // what was there before: codes and scales that are no numbers
                    valueTiles.fill((byte) -1);
                    int half = positions / 2;
                    store(kernels, 0, half);
                    store(kernels, half, positions - half);
                    int blocks = (positions + KvTiles.BLOCK - 1) / KvTiles.BLOCK;
                    int spans = (blocks + 1) / 2; // of two blocks each
                    MemorySegment results = operands.floats(spans * tokens * group * (headDim + 2));
                    for (int s = 0; s < spans; s++) {
                        int from = 2 * s * KvTiles.BLOCK;
                        int page = s % 2 * from; // every other span's positions count from its own first
                        kernels.attendCodes(
                                tiles,
                                q,
                                tokens,
                                group,
                                stride,
                                keyTiles.asSlice(tiles.bytes(page)),
                                valueTiles.asSlice(tiles.bytes(page)),
                                positions - tokens + 1 - page,
                                from - page,
                                Math.min(positions, from + 2 * KvTiles.BLOCK) - page,
                                scale,
                                results.asSlice(4L * s * tokens * group * (headDim + 2)));
                    }
                    Operands.fill(out, 7);
                    kernels.mergeAttention(results, spans, tokens, group, headDim, out, stride);
                    return out;
                }

                private void store(CpuKernels kernels, int position, int count) {
                    if (count > 0) {
                        long at = 4L * position * headDim;
                        kernels.storeCodes(tiles, false, keys.asSlice(at), headDim, count, 1, keyTiles, 0, position);
                        kernels.storeCodes(tiles, true, values.asSlice(at), headDim, count, 1, valueTiles, 0, position);
                    }
                }

                @Override
                public Truth truth() {
                    Truth truth = new Truth(new double[tokens * stride], new double[tokens * stride]);
                    Arrays.fill(truth.values(), 7);
                    Rounded k = Rounded.of(tiles.quantizer(), keys, positions);
                    Rounded v = Rounded.of(tiles.quantizer(), values, positions);
                    for (int t = 0; t < tokens; t++) {
                        for (int g = 0; g < group; g++) {
                            double[] query = new double[headDim];
                            for (int d = 0; d < headDim; d++) {
                                query[d] = Operands.get(q, t * stride + g * headDim + d);
                            }
                            attend(query, k, v, positions - tokens + 1 + t, truth, t * stride + g * headDim);
                        }
                    }
                    return truth;
                }
            };
        }

        private void shape(MemorySegment q, MemorySegment keys, MemorySegment values, int stride) {
            switch (shape) {
                case PLAIN -> {}
                case OUTLIER -> {
                    for (int t = 0; t < tokens; t++) {
                        Operands.set(q, t * stride + 3, 200);
                    }
                }
                case ZEROS -> {
                    Operands.fill(keys, 0);
                    Operands.fill(values.asSlice(0, 4L * (positions - 1) * headDim), 0);
                }
                case ONE_SIDED -> {
                    for (int i = 0; i < positions * headDim; i++) {
                        Operands.set(keys, i, (float) Math.abs(Operands.get(keys, i)));
                        Operands.set(values, i, (float) -Math.abs(Operands.get(values, i)));
                    }
                }
            }
        }

        /** Rows of floats as their codes stand for them, and their scales. */
        private record Rounded(double[][] rows, double[] scales) {
            static Rounded of(KvQuantizer quantizer, MemorySegment x, int positions) {
                double[][] rows = new double[positions][quantizer.headDim()];
                double[] scales = new double[positions];
                MemorySegment codes = MemorySegment.ofArray(new byte[quantizer.byteSize()]);
                for (int p = 0; p < positions; p++) {
                    float[] row = new float[quantizer.headDim()];
                    for (int d = 0; d < row.length; d++) {
                        row[d] = (float) Operands.get(x, p * row.length + d);
                    }
                    quantizer.store(row, 0, codes, 0);
                    scales[p] = quantizer.scale(codes, 0);
                    for (int d = 0; d < row.length; d++) {
                        rows[p][d] = row[d];
                    }
                }
                return new Rounded(rows, scales);
            }
        }

        private void attend(double[] query, Rounded k, Rounded v, int seen, Truth truth, int at) {
            double scale = (float) (2 / Math.sqrt(headDim));
            double queryStep = Arrays.stream(query).map(Math::abs).max().orElseThrow() / mostOfQuery();
            double[] e = new double[seen];
            double scoreError = 0;
            double largest = Double.NEGATIVE_INFINITY;
            for (int p = 0; p < seen; p++) {
                double magnitude = 0;
                for (int d = 0; d < headDim; d++) {
                    e[p] += scale * query[d] * k.rows[p][d];
                    magnitude += Math.abs(k.rows[p][d]);
                }
                scoreError = Math.max(scoreError, scale * queryStep / 2 * magnitude + 3e-7 * Math.abs(e[p]));
                largest = Math.max(largest, e[p]);
            }
            double total = 0;
            double[] weightSteps = new double[seen / KvTiles.BLOCK + 1];
            for (int p = 0; p < seen; p++) {
                e[p] = Math.exp(e[p] - largest);
                total += e[p];
                int block = p / KvTiles.BLOCK;
                weightSteps[block] = Math.max(weightSteps[block], e[p] * v.scales[p] / 32767);
            }
            for (int d = 0; d < headDim; d++) {
                double sum = 0;
                double magnitude = 0;
                double error = 0;
                for (int p = 0; p < seen; p++) {
                    double value = v.rows[p][d];
                    sum += e[p] * value;
                    magnitude += Math.abs(e[p] * value);
                    error += weightSteps[p / KvTiles.BLOCK] / 2 * Math.abs(value) / v.scales[p];
                }
                truth.values()[at + d] = sum / total;
                truth.tolerances()[at + d] =
                        (error * 1.01 + 2.1 * scoreError * magnitude) / total + 1e-5 * (1 + magnitude / total);
            }
        }

        private int mostOfQuery() {
            return Math.min(32767, Integer.MAX_VALUE / (((1 << bits) - 1) * headDim));
        }
    }

    /** The operations on single rows of n floats. */
    record Row(Operation operation, int n) implements KernelCase {
        /** Which; {@code ROPE} takes n as head_dim and has three heads. */
        public enum Operation {
            RMS_NORM,
            ROPE,
            SILU_MUL,
            ADD
        }

        @Override
        public Prepared prepare(Arena arena) {
            Operands operands = new Operands(arena, hashCode());
            int size = operation == Operation.ROPE ? 3 * n : n;
            MemorySegment a = operands.floats(size);
            MemorySegment b = operands.floats(size);
            if (operation == Operation.SILU_MUL) {
                for (int i = 0; i < n; i++) {
                    Operands.set(a, i, (float) (Operands.get(a, i) * (i % 5 == 0 ? 90 : 5)));
                }
            }
            MemorySegment y = operands.floats(size);
            return new Prepared() {
                @Override
                public MemorySegment run(CpuKernels kernels) {
                    switch (operation) {
                        case RMS_NORM -> kernels.rmsNorm(a, b, 1e-5f, n, y);
                        case ROPE -> kernels.rope(y.copyFrom(a), 3, n, b);
                        case SILU_MUL -> kernels.siluMul(y.copyFrom(a), b, n);
                        case ADD -> kernels.add(y.copyFrom(a), b, n);
                    }
                    return y;
                }

                @Override
                public Truth truth() {
                    double[] values = new double[size];
                    double meanSquare = 0;
                    for (int i = 0; i < size; i++) {
                        meanSquare += Operands.get(a, i) * Operands.get(a, i) / size;
                    }
                    for (int i = 0; i < size; i++) {
                        double ai = Operands.get(a, i);
                        double bi = Operands.get(b, i);
                        values[i] = switch (operation) {
                            case RMS_NORM -> ai / Math.sqrt(meanSquare + 1e-5f) * bi;
                            case ROPE -> rotated(i);
                            case SILU_MUL -> ai / (1 + Math.exp(-ai)) * bi;
                            case ADD -> ai + bi;
                        };
                    }
                    double[] tolerances = new double[size];
                    for (int i = 0; i < size; i++) {
                        tolerances[i] = 1e-6 * Math.max(1, Math.abs(values[i]));
                    }
                    return new Truth(values, tolerances);
                }

                /** The pair (i, i + n/2) as a complex number times cos + i sin. */
                private double rotated(int i) {
                    int half = n / 2;
                    int j = i % n % half;
                    double re = Operands.get(a, i / n * n + j);
                    double im = Operands.get(a, i / n * n + j + half);
                    double cos = Operands.get(b, j);
                    double sin = Operands.get(b, j + half);
                    return i % n < half ? re * cos - im * sin : re * sin + im * cos;
                }
            };
        }
    }
}
