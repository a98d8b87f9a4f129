package dev.obr.bench.gemm;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.RowSplit;
import dev.obr.kernels.cpu.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Dense weights of half floats by our kernels, with activations of float32. */
final class HalfProduct implements CpuProduct {
    private final GemmShape shape;
    private final CpuKernels kernels;
    private final ThreadTeam team;
    private final List<WeightMatrix> copies = new ArrayList<>();

    HalfProduct(GemmShape shape, CpuKernels kernels, ThreadTeam team, Arena arena, long rotatedBytes) {
        this.shape = shape;
        this.kernels = kernels;
        this.team = team;
        while (copies.size() < CpuProduct.copies(weightBytes(), rotatedBytes)) {
            MemorySegment memory = Noise.of(DType.F16, (long) shape.features() * shape.columns(), arena);
            copies.add(new WeightMatrix(DType.F16, shape.features(), shape.columns(), memory));
        }
    }

    @Override
    public String name() {
        return "FP16 dense";
    }

    @Override
    public boolean reference() {
        return true;
    }

    @Override
    public long weightBytes() {
        return DType.F16.bytes((long) shape.features() * shape.columns());
    }

    @Override
    public long activationBytes(int tokens) {
        return DType.F32.bytes((long) tokens * (shape.columns() + shape.features()));
    }

    // y [tokens, features] = x [tokens, columns] . W [features, columns]ᵀ
    @Override
    public Ready with(int tokens, Arena arena) {
        MemorySegment x = Noise.of(DType.F32, (long) tokens * shape.columns(), arena);
        MemorySegment y = Noise.of(DType.F32, (long) tokens * shape.features(), arena);
        RowSplit split = RowSplit.of(shape.features(), tokens, team.threads());
        return new Ready() {
            @Override
            public void multiply(int turn) {
                WeightMatrix w = copies.get(turn % copies.size());
                team.run(split.parts(), part -> kernels.matmul(w, split.from(part), split.to(part), x, tokens, y));
            }

            @Override
            public float at(int token, int feature) {
                return y.getAtIndex(ValueLayout.JAVA_FLOAT, (long) token * shape.features() + feature);
            }
        };
    }
}
