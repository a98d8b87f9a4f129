package dev.obr.bench.machine;

import dev.obr.bench.results.Machine;
import dev.obr.kernels.cpu.CpuInfo;
import dev.obr.kernels.cpu.CpuKernels;
import org.jspecify.annotations.Nullable;

/** Fills in {@link Machine} for the results of a benchmark. */
public final class MachineProbe {
    private MachineProbe() {}

    /**
     * This machine.
     *
     * @param kernels that compute on its processor; their instruction sets are named
     * @param gpu name of the GPU that computes; null without one
     * @param product version of this program
     */
    public static Machine probe(CpuKernels kernels, @Nullable String gpu, String product) {
        CpuInfo cpu = CpuInfo.read();
        return new Machine(
                cpu.name(),
                kernels.instructionSet() + "; " + kernels.packed().reason(),
                cpu.cores(),
                cpu.memoryBytes(),
                gpu,
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " " + Runtime.version(),
                product);
    }
}
