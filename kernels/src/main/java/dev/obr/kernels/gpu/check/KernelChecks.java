package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.Pattern;
import java.util.List;

/** A check for each kernel that the jar carries. */
public final class KernelChecks {
    private KernelChecks() {}

    public static List<KernelCheck> all() {
        return List.of(SparseGemmCase.check(KernelModule.SPGEMM_S4, TokenLayout.INT4, Pattern.PAIRS_4_OF_8));
    }
}
