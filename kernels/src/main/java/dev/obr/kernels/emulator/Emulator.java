package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.util.List;

/** Runs kernels. One emulator may run several launches, one at a time. */
public final class Emulator {
    private final EmulatorOptions options;

    public Emulator(EmulatorOptions options) {
        this.options = options;
    }

    public EmulatorOptions options() {
        return options;
    }

    /**
     * Runs one kernel to its end.
     *
     * @param arguments as many as the kernel has parameters, each of its parameter's size
     * @return what it did
     * @throws EmulationException if it does what it must not; memory is left as it then was
     * @throws dev.obr.kernels.ObrException if the shape or the arguments do not fit the kernel
     */
    public LaunchCounters launch(
            PtxKernel kernel, LaunchShape shape, List<KernelArguments.Argument> arguments, GlobalMemory memory) {
        throw new UnsupportedOperationException("not yet: " + kernel.name() + shape + arguments + memory);
    }
}
