package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import java.util.ArrayList;
import java.util.List;

/** The table of cases that every twin and every native instruction set must pass: whole tiles, tails of every kind, single rows, single tokens. */
public final class KernelCases {
    private KernelCases() {}

    /** All of them. */
    public static List<KernelCase> all() {
        List<KernelCase> cases = new ArrayList<>(timed());
        for (DType type : DType.values()) {
            int block = type.blockSize();
            if (block <= 2) {
                for (int most : new int[] {2, 8, 37, 172, 256, 300, 577}) {
                    int cols = most / block * block;
                    cases.add(whole(type, 21, cols, 1));
                    cases.add(whole(type, 21, cols, 3));
                    cases.add(whole(type, 21, cols, 31));
                }
            } else {
                for (int cols : new int[] {block, 3 * block, 9 * block}) {
                    cases.add(whole(type, 21, cols, 1));
                    cases.add(whole(type, 21, cols, 2));
                    cases.add(whole(type, 21, cols, 19));
                }
            }
            cases.add(new KernelCase.DequantizeRow(type, 5, 3 * block, 2));
            cases.add(new KernelCase.DequantizeRow(type, 2, 11 * block, 1));
            cases.add(new KernelCase.Matmul(type, 70, 2 * block, 1, 3, 62));
            cases.add(new KernelCase.Matmul(type, 70, 2 * block, 40, 5, 64));
        }
        for (int tokens : new int[] {2, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 97, 130, 515}) {
            cases.add(whole(DType.F16, 35, 264, tokens));
        }
        for (int rows : new int[] {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 128, 129, 300}) {
            cases.add(whole(DType.F16, rows, 40, 1));
            cases.add(whole(DType.F16, rows, 40, 14));
        }
        for (DType codes : List.of(DType.CODES_8, DType.CODES_4)) { // beyond what 32-bit sums take at once
            cases.add(whole(codes, 6, 8200, 1));
            cases.add(whole(codes, 3, 9002, 4));
        }
        for (DType kv : List.of(DType.F32, DType.F16)) {
            for (int headDim : new int[] {8, 20, 64, 80, 128}) {
                cases.add(new KernelCase.Attention(kv, 1, headDim, 1));
                cases.add(new KernelCase.Attention(kv, 3, headDim, 5));
                cases.add(new KernelCase.Attention(kv, 7, headDim, 150));
            }
            cases.add(new KernelCase.Attention(kv, 4, 64, 64));
            cases.add(new KernelCase.Attention(kv, 15, 64, 65));
        }
        addCodeAttention(cases);
        for (KernelCase.Row.Operation operation : KernelCase.Row.Operation.values()) {
            for (int n : new int[] {2, 6, 8, 16, 30, 64, 172, 576}) {
                cases.add(new KernelCase.Row(operation, n));
            }
        }
        return cases;
    }

    /** Those of a decode step's and a short prompt's sizes: the tests compare them, too, and micro-benchmarks time them. */
    public static List<KernelCase> timed() {
        List<KernelCase> cases = new ArrayList<>();
        for (DType type : List.of(DType.F16, DType.Q8_0, DType.Q4_K, DType.CODES_8)) {
            cases.add(whole(type, 256, 2048, 1));
            cases.add(whole(type, 256, 2048, 16));
        }
        cases.add(new KernelCase.Attention(DType.F16, 4, 64, 512));
        cases.add(new KernelCase.Row(KernelCase.Row.Operation.RMS_NORM, 2048));
        cases.add(new KernelCase.Row(KernelCase.Row.Operation.SILU_MUL, 8192));
        return cases;
    }

    private static void addCodeAttention(List<KernelCase> cases) {
        int[] groups = {1, 3, 4, 7, 15};
        int[] positions = {1, 5, 64, 65, 150, 513};
        for (int bits : new int[] {4, 8}) {
            int i = 0;
            for (int headDim : new int[] {8, 20, 64, 80, 128, 256}) {
                for (int j = 0; j < positions.length; j++, i++) {
                    cases.add(codes(bits, groups[i % 5], headDim, positions[j], 1));
                }
                i++; // each head meets other groups
            }
            for (KernelCase.CodeAttention.Shape shape : KernelCase.CodeAttention.Shape.values()) {
                cases.add(new KernelCase.CodeAttention(bits, 4, 64, 300, 1, shape));
                cases.add(new KernelCase.CodeAttention(bits, 3, 20, 37, 5, shape));
            }
            cases.add(codes(bits, 2, 6, 40, 3)); // components fill no word
            cases.add(codes(bits, 1, 300, 33, 2)); // 8 bits: queries have fewer than 16
            cases.add(codes(bits, 1, 64, 530, 25)); // some tokens see two blocks, some three
            cases.add(codes(bits, 3, 64, 1030, 12)); // and two spans or three
        }
    }

    private static KernelCase codes(int bits, int group, int headDim, int positions, int tokens) {
        return new KernelCase.CodeAttention(
                bits, group, headDim, positions, tokens, KernelCase.CodeAttention.Shape.PLAIN);
    }

    private static KernelCase whole(DType type, int rows, int cols, int tokens) {
        return new KernelCase.Matmul(type, rows, cols, tokens, 0, rows);
    }
}
