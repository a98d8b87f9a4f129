package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.LaunchShape;
import java.util.List;
import java.util.Random;

/** Programs over matrices: tiles in shared memory, asynchronous copies, tensor cores. */
final class MatrixPrograms {
    private static final int[][] SLOTS = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};

    private MatrixPrograms() {}

    static List<CudaProgram> all() {
        return List.of(
                transpose(),
                softmax(),
                rowSums(),
                paddedCopy(),
                gemmS8(),
                gemmF16(),
                sparseS4(),
                stencil(),
                matmul(),
                sparseRows());
    }

    private static CudaProgram transpose() {
        int rows = 70;
        int cols = 45;
        float[] x = Numbers.floats(rows * cols, -1, 1, 1);
        float[] y = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i % cols * rows + i / cols] = x[i];
        }
        return new CudaProgram("transpose", "transpose", CudaProgram.grid(2, 3, 32, 8))
                .in(x)
                .out(y)
                .i32(rows)
                .i32(cols);
    }

    private static CudaProgram softmax() {
        int rows = 5;
        int cols = 205;
        float[] x = Numbers.floats(rows * cols, -9, 9, 2);
        float[] y = new float[x.length];
        for (int row = 0; row < rows; row++) {
            double sum = 0;
            for (int i = 0; i < cols; i++) {
                sum += Math.exp(x[row * cols + i]);
            }
            for (int i = 0; i < cols; i++) {
                y[row * cols + i] = (float) (Math.exp(x[row * cols + i]) / sum);
            }
        }
        return new CudaProgram("softmax", "softmax_rows", CudaProgram.grid(2, 1, 32, 4))
                .in(x)
                .near(y, 2e-6)
                .i32(rows)
                .i32(cols);
    }

    private static CudaProgram rowSums() {
        float[] x = Numbers.wholeFloats(3 * 2048, 90, 3);
        float[] y = new float[3];
        for (int i = 0; i < x.length; i++) {
            y[i / 2048] += x[i];
        }
        return new CudaProgram("pipeline", "row_sums", LaunchShape.of(3, 128, 0))
                .in(x)
                .out(y)
                .i32(2048);
    }

    private static CudaProgram paddedCopy() {
        int[] x = Numbers.ints(202, 1, 1000, 4);
        int[] y = new int[256];
        for (int i = 0; i < 201; i++) { // of the 202 there are, the launch names 201
            y[255 - i] = x[i];
        }
        return new CudaProgram("pipeline", "padded_copy", LaunchShape.of(1, 128, 0))
                .in(x)
                .out(y)
                .i32(201);
    }

    private static CudaProgram gemmS8() {
        int m = 32;
        int n = 24;
        int k = 160;
        byte[] a = new byte[m * k];
        byte[] b = new byte[n * k];
        new Random(5).nextBytes(a);
        new Random(6).nextBytes(b);
        int[] d = new int[m * n];
        for (int i = 0; i < d.length; i++) {
            for (int j = 0; j < k; j++) {
                d[i] += a[i / n * k + j] * b[i % n * k + j];
            }
        }
        return new CudaProgram("tensor", "gemm_s8", CudaProgram.grid(m / 16, n / 8, 32, 1))
                .in(a)
                .in(b)
                .out(d)
                .i32(n)
                .i32(k);
    }

    private static CudaProgram gemmF16() {
        float[] a = Numbers.wholeFloats(256, 30, 7);
        float[] b = Numbers.wholeFloats(128, 30, 8);
        float[] d = new float[128];
        for (int i = 0; i < d.length; i++) {
            d[i] = 0.5f;
            for (int j = 0; j < 16; j++) {
                d[i] += a[i / 8 * 16 + j] * b[8 * j + i % 8];
            }
        }
        return new CudaProgram("tensor", "gemm_f16", LaunchShape.of(1, 32, 0))
                .in(halves(a))
                .in(halves(b))
                .out(d);
    }

    private static short[] halves(float[] floats) {
        short[] halves = new short[floats.length];
        for (int i = 0; i < floats.length; i++) {
            halves[i] = Float.floatToFloat16(floats[i]);
        }
        return halves;
    }

    /** A keeps two of four pairs of columns; its nibbles and their metadata are put where the manual's tables say. */
    private static CudaProgram sparseS4() {
        Random random = new Random(9);
        int[][] a = new int[16][128];
        int[][] b = new int[128][8];
        int[] registersA = new int[128];
        int[] registersB = new int[128];
        int[] metadata = new int[32];
        for (int row = 0; row < 16; row++) {
            for (int chunk = 0; chunk < 16; chunk++) {
                int[] kept = SLOTS[random.nextInt(6)];
                // The word of a row's half: lanes 0 and 2 of the group have rows 0-7, lanes 1 and 3 rows 8-15.
                int lane = row % 8 * 4 + row / 8 + 2 * (chunk / 8);
                metadata[lane] |= (kept[0] | kept[1] << 2) << 4 * (chunk % 8);
                for (int i = 0; i < 4; i++) {
                    int value = random.nextInt(-8, 8);
                    a[row][8 * chunk + 2 * kept[i / 2] + i % 2] = value;
                    int column = 4 * chunk + i; // of the 64 kept
                    int register = row / 8 + 2 * (column / 32);
                    registersA[32 * register + row % 8 * 4 + column % 32 / 8] |= (value & 15) << 4 * (column % 8);
                }
            }
        }
        for (int k = 0; k < 128; k++) {
            for (int column = 0; column < 8; column++) {
                b[k][column] = random.nextInt(-8, 8);
                registersB[32 * (k / 32) + column * 4 + k % 32 / 8] |= (b[k][column] & 15) << 4 * (k % 8);
            }
        }
        int[] d = new int[128];
        for (int lane = 0; lane < 32; lane++) {
            for (int r = 0; r < 4; r++) {
                d[32 * r + lane] = 1 + r;
                for (int k = 0; k < 128; k++) {
                    d[32 * r + lane] += a[lane / 4 + 8 * (r / 2)][k] * b[k][2 * (lane % 4) + r % 2];
                }
            }
        }
        return new CudaProgram("tensor", "sparse_s4", LaunchShape.of(1, 32, 0))
                .in(registersA)
                .in(registersB)
                .in(metadata)
                .out(d);
    }

    private static CudaProgram stencil() {
        int w = 37;
        int h = 21;
        float[] x = Numbers.floats(w * h, -1, 1, 10);
        float[] y = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            float left = i % w > 0 ? x[i - 1] : 0;
            float right = i % w < w - 1 ? x[i + 1] : 0;
            float above = i >= w ? x[i - w] : 0;
            float below = i < w * (h - 1) ? x[i + w] : 0;
            y[i] = x[i] - 0.25f * (left + right + above + below);
        }
        return new CudaProgram("stencil", "stencil", CudaProgram.grid(3, 3, 16, 8))
                .in(x)
                .out(y)
                .i32(w)
                .i32(h);
    }

    private static CudaProgram matmul() {
        int m = 19;
        int n = 35;
        int k = 41;
        float[] a = Numbers.wholeFloats(m * k, 20, 11);
        float[] b = Numbers.wholeFloats(k * n, 20, 12);
        float[] c = new float[m * n];
        for (int i = 0; i < c.length; i++) {
            for (int j = 0; j < k; j++) {
                c[i] += a[i / n * k + j] * b[j * n + i % n];
            }
        }
        return new CudaProgram("matmul", "matmul", CudaProgram.grid(3, 2, 16, 16))
                .in(a)
                .in(b)
                .out(c)
                .i32(m)
                .i32(n)
                .i32(k);
    }

    private static CudaProgram sparseRows() {
        int rows = 10;
        int[] starts = new int[rows + 1];
        for (int row = 0; row < rows; row++) {
            starts[row + 1] = starts[row] + (row == 4 ? 0 : 13 * row % 50);
        }
        int[] columns = Numbers.ints(starts[rows], 0, 64, 13);
        float[] values = Numbers.wholeFloats(starts[rows], 9, 14);
        float[] x = Numbers.wholeFloats(64, 9, 15);
        float[] y = new float[rows];
        for (int row = 0; row < rows; row++) {
            for (int i = starts[row]; i < starts[row + 1]; i++) {
                y[row] += values[i] * x[columns[i]];
            }
        }
        return new CudaProgram("matmul", "sparse_rows", LaunchShape.of(3, 128, 0))
                .in(starts)
                .in(columns)
                .in(values)
                .in(x)
                .out(y)
                .i32(rows);
    }
}
