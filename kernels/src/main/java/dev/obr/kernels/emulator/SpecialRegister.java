package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.LaunchShape;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Registers that say where a lane is. They do not change while it runs, so that each is filled in once; clocks are read by {@link MoveOps} instead. */
enum SpecialRegister {
    TID_X("%tid.x"),
    TID_Y("%tid.y"),
    TID_Z("%tid.z"),
    NTID_X("%ntid.x"),
    NTID_Y("%ntid.y"),
    NTID_Z("%ntid.z"),
    CTAID_X("%ctaid.x"),
    CTAID_Y("%ctaid.y"),
    CTAID_Z("%ctaid.z"),
    NCTAID_X("%nctaid.x"),
    NCTAID_Y("%nctaid.y"),
    NCTAID_Z("%nctaid.z"),
    LANEID("%laneid"),
    WARPID("%warpid"),
    NWARPID("%nwarpid"),
    SMID("%smid"),
    NSMID("%nsmid"),
    GRIDID("%gridid"),
    LANEMASK_EQ("%lanemask_eq"),
    LANEMASK_LE("%lanemask_le"),
    LANEMASK_LT("%lanemask_lt"),
    LANEMASK_GE("%lanemask_ge"),
    LANEMASK_GT("%lanemask_gt"),
    TOTAL_SMEM_SIZE("%total_smem_size"),
    DYNAMIC_SMEM_SIZE("%dynamic_smem_size"),
    CLOCK("%clock"),
    CLOCK_HI("%clock_hi"),
    CLOCK64("%clock64"),
    GLOBALTIMER("%globaltimer"),
    GLOBALTIMER_LO("%globaltimer_lo"),
    GLOBALTIMER_HI("%globaltimer_hi");

    private static final Map<String, SpecialRegister> BY_NAME = new HashMap<>();

    static {
        for (SpecialRegister register : values()) {
            BY_NAME.put(register.label, register);
        }
    }

    private final String label;

    SpecialRegister(String label) {
        this.label = label;
    }

    static boolean known(String name) {
        return BY_NAME.containsKey(name);
    }

    static @Nullable SpecialRegister of(String name) {
        return BY_NAME.get(name);
    }

    /** Whether it counts the warp's instructions. */
    boolean clock() {
        return compareTo(CLOCK) >= 0;
    }

    boolean wide() {
        return this == CLOCK64 || this == GLOBALTIMER || this == GRIDID;
    }

    /** Its value in a lane. */
    int value(Warp warp, int lane) {
        ThreadBlock block = warp.block;
        LaunchShape shape = block.shape();
        LaunchShape.Dim threads = shape.block();
        int thread = Warp.LANES * warp.index + lane;
        return switch (this) {
            case TID_X -> thread % threads.x();
            case TID_Y -> thread / threads.x() % threads.y();
            case TID_Z -> thread / threads.x() / threads.y();
            case NTID_X -> threads.x();
            case NTID_Y -> threads.y();
            case NTID_Z -> threads.z();
            case CTAID_X -> block.x();
            case CTAID_Y -> block.y();
            case CTAID_Z -> block.z();
            case NCTAID_X -> shape.grid().x();
            case NCTAID_Y -> shape.grid().y();
            case NCTAID_Z -> shape.grid().z();
            case LANEID -> lane;
            case WARPID -> warp.index;
            case NWARPID -> block.warps();
            case NSMID -> 1;
            case LANEMASK_EQ -> 1 << lane;
            case LANEMASK_LE -> (2 << lane) - 1;
            case LANEMASK_LT -> (1 << lane) - 1;
            case LANEMASK_GE -> -(1 << lane);
            case LANEMASK_GT -> -(2 << lane);
            case TOTAL_SMEM_SIZE -> block.sharedBytes();
            case DYNAMIC_SMEM_SIZE -> shape.sharedBytes();
            case SMID, GRIDID, CLOCK, CLOCK_HI, CLOCK64, GLOBALTIMER, GLOBALTIMER_LO, GLOBALTIMER_HI -> 0;
        };
    }
}
