package dev.obr.bench.gemm;

import dev.obr.kernels.DType;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.PackedLayout;
import dev.obr.kernels.cpu.RowSplit;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** 4-bit weights on some pattern by our integer kernels, with activations that are coded in 8 bits beforehand. */
final class PackedProduct implements CpuProduct {
    private static final ActivationQuantizer QUANTIZER = new ActivationQuantizer(8, 1);
    private static final int ALIGNMENT = 64;

    /** Different tokens, with which the others take turns: coding is not measured, so it need not take long. */
    private static final int DISTINCT = 64;

    private final PackedMatrix weight;
    private final CpuKernels kernels;
    private final PackedKernels packed;
    private final ThreadTeam team;
    private final List<PackedLayout> copies = new ArrayList<>();

    PackedProduct(
            PackedMatrix weight,
            CpuKernels kernels,
            PackedKernels packed,
            ThreadTeam team,
            Arena arena,
            long rotatedBytes) {
        this.weight = weight;
        this.kernels = kernels;
        this.packed = packed;
        this.team = team;
        SegmentAllocator memory = packed.weightMemory(arena);
        RowSplit split = RowSplit.of(weight.rows(), 1, team.threads());
        while (copies.size() < CpuProduct.copies(weight.byteSize(), rotatedBytes)) {
            PackedLayout layout = packed.allocate(weight, memory);
            team.run(split.parts(), part -> packed.layOut(layout, split.from(part), split.to(part)));
            copies.add(layout);
        }
    }

    @Override
    public String name() {
        return "INT4 " + weight.pattern() + ", A8";
    }

    @Override
    public boolean reference() {
        return false;
    }

    /** As the kernels have laid them out, which for some patterns is more than in the file. */
    @Override
    public long weightBytes() {
        PackedLayout layout = copies.getFirst();
        return layout.memory().byteSize()
                + layout.sums().byteSize()
                + layout.scales().byteSize();
    }

    @Override
    public long activationBytes(int tokens) {
        return tokens * (packed.inputBytes(weight.pattern(), weight.cols()) + Float.BYTES * (1L + weight.rows()));
    }

    // y [tokens, rows] = scales . codes of x [tokens, cols] . W [rows, cols]ᵀ
    @Override
    public Ready with(int tokens, Arena arena) {
        long tokenBytes = packed.inputBytes(weight.pattern(), weight.cols());
        MemorySegment codes = arena.allocate(tokens * tokenBytes, ALIGNMENT);
        MemorySegment scales = arena.allocate((long) Float.BYTES * tokens, ALIGNMENT);
        MemorySegment y = Noise.of(DType.F32, (long) tokens * weight.rows(), arena);
        code(tokens, codes, scales);
        RowSplit split = RowSplit.of(weight.rows(), tokens, team.threads());
        return new Ready() {
            @Override
            public void multiply(int turn) {
                PackedLayout w = copies.get(turn % copies.size());
                team.run(
                        split.parts(),
                        part -> packed.matmul(w, split.from(part), split.to(part), codes, scales, tokens, y));
            }

            @Override
            public float at(int token, int feature) {
                return y.getAtIndex(ValueLayout.JAVA_FLOAT, (long) token * weight.rows() + feature);
            }
        };
    }

    private void code(int tokens, MemorySegment codes, MemorySegment scales) {
        int distinct = Math.min(tokens, DISTINCT);
        long tokenBytes = codes.byteSize() / tokens;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = Noise.of(DType.F32, (long) distinct * weight.cols(), arena);
            for (int t = 0; t < tokens; t++) {
                MemorySegment token = codes.asSlice(t * tokenBytes, tokenBytes);
                long scaleAt = (long) Float.BYTES * t;
                if (t < distinct) {
                    MemorySegment row =
                            x.asSlice(DType.F32.bytes((long) t * weight.cols()), DType.F32.bytes(weight.cols()));
                    float scale = kernels.scale(row, weight.cols(), QUANTIZER);
                    packed.code(weight.pattern(), weight.cols(), row, scale, QUANTIZER, token);
                    scales.set(ValueLayout.JAVA_FLOAT, scaleAt, scale);
                } else {
                    int same = t % distinct;
                    token.copyFrom(codes.asSlice(same * tokenBytes, tokenBytes));
                    scales.set(ValueLayout.JAVA_FLOAT, scaleAt, scales.getAtIndex(ValueLayout.JAVA_FLOAT, same));
                }
            }
        }
    }
}
