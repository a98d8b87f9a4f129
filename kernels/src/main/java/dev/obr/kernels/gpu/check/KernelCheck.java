package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.KernelModule;
import java.util.List;

/**
 * The cases of one kernel.
 *
 * @param name of the kernel, for a line of the report
 * @param module that holds it
 */
public record KernelCheck(String name, KernelModule module, List<? extends KernelCase> cases) {
    KernelCheck(KernelModule module, List<? extends KernelCase> cases) {
        this(module.label(), module, cases);
    }

    List<? extends KernelCase> cases(Extent extent) {
        return cases.stream().filter(one -> one.extent().compareTo(extent) <= 0).toList();
    }
}
