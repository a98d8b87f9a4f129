package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
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
                        for (int k = 0; k < cols; k++) {
                            double term = ws[o * cols + k] * Operands.get(x, t * cols + k);
                            values[i] += term;
                            magnitude += Math.abs(term);
                        }
                        tolerances[i] = 2e-6 * magnitude + 1e-30;
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
