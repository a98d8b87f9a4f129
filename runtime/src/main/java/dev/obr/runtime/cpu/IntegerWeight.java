package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.PackedLayout;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.runtime.transformer.DeviceWeight;
import java.lang.foreign.SegmentAllocator;

/**
 * A packed weight whose codes are multiplied as integers, in the layout of the kernels that do so.
 *
 * @param layout W [out, in]
 */
record IntegerWeight(PackedLayout layout) implements DeviceWeight {
    /** Lays out a weight in that memory, with all threads of the team. */
    static IntegerWeight laidOut(PackedMatrix weight, PackedKernels kernels, SegmentAllocator memory, ThreadTeam team) {
        PackedLayout layout = kernels.allocate(weight, memory);
        int rows = weight.rows();
        int parts = Math.clamp(rows / PackedKernels.GRAIN, 1, team.threads());
        team.run(
                parts,
                part -> kernels.layOut(
                        layout,
                        ThreadTeam.split(rows, PackedKernels.GRAIN, parts, part),
                        ThreadTeam.split(rows, PackedKernels.GRAIN, parts, part + 1)));
        return new IntegerWeight(layout);
    }

    /** Where a range of rows that was cut at {@code row} is cut instead, so that panels stay whole. */
    int cut(int row) {
        return (int) Math.min(rows(), Math.ceilDiv((long) row, PackedKernels.GRAIN) * PackedKernels.GRAIN);
    }

    @Override
    public int rows() {
        return layout.rows();
    }

    @Override
    public int cols() {
        return layout.cols();
    }
}
