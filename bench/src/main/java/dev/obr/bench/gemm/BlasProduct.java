package dev.obr.bench.gemm;

import dev.obr.kernels.cpu.RowSplit;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** Dense weights of float32 by OpenBLAS, which knows no half floats: whether our own dense product is one that is worth being compared with. */
final class BlasProduct implements CpuProduct {
    /** Tokens of one call: while it lasts the collector cannot stop that thread. */
    private static final int CALL_TOKENS = 512;

    private final GemmShape shape;
    private final LinearAlgebra blas;
    private final ThreadTeam team;
    private final List<float[]> copies = new ArrayList<>();

    BlasProduct(GemmShape shape, LinearAlgebra blas, ThreadTeam team, long rotatedBytes) {
        this.shape = shape;
        this.blas = blas;
        this.team = team;
        while (copies.size() < CpuProduct.copies(weightBytes(), rotatedBytes)) {
            copies.add(Noise.fill(new float[Math.multiplyExact(shape.features(), shape.columns())]));
        }
    }

    @Override
    public String name() {
        return "FP32 dense, OpenBLAS";
    }

    @Override
    public boolean reference() {
        return true;
    }

    @Override
    public long weightBytes() {
        return (long) Float.BYTES * shape.features() * shape.columns();
    }

    @Override
    public long activationBytes(int tokens) {
        return (long) Float.BYTES * tokens * (shape.columns() + shape.features());
    }

    // y [tokens, features] = x [tokens, columns] . W [features, columns]ᵀ
    @Override
    public Ready with(int tokens, Arena arena) {
        int columns = shape.columns();
        int features = shape.features();
        float[] x = Noise.fill(new float[Math.multiplyExact(tokens, columns)]);
        float[] y = new float[Math.multiplyExact(tokens, features)];
        RowSplit split = RowSplit.of(features, tokens, team.threads());
        return new Ready() {
            @Override
            public void multiply(int turn) {
                float[] w = copies.get(turn % copies.size());
                team.run(split.parts(), part -> multiply(w, split.from(part), split.to(part)));
            }

            private void multiply(float[] w, int from, int to) {
                for (int t = 0; t < tokens; t += CALL_TOKENS) {
                    blas.gemm(
                            Transpose.NO,
                            Transpose.YES,
                            Math.min(CALL_TOKENS, tokens - t),
                            to - from,
                            columns,
                            1,
                            new Block(x, t * columns, columns),
                            new Block(w, from * columns, columns),
                            0,
                            new Block(y, t * features + from, features));
                }
            }

            @Override
            public float at(int token, int feature) {
                return y[token * features + feature];
            }
        };
    }
}
