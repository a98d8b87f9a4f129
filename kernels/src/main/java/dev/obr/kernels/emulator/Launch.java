package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.util.List;

/** A kernel with everything it needs to run. */
record Launch(PtxKernel kernel, LaunchShape shape, List<KernelArguments.Argument> arguments) {}
