package dev.obr.kernels.emulator;

import java.util.List;

/** An entry of a module, decoded. */
public final class PtxKernel {
    private final KernelCode code;
    private final List<PtxParameter> parameters;
    private final int maxThreads;

    PtxKernel(KernelCode code, List<PtxParameter> parameters, int maxThreads) {
        this.code = code;
        this.parameters = List.copyOf(parameters);
        this.maxThreads = maxThreads;
    }

    public String name() {
        return code.kernel();
    }

    public List<PtxParameter> parameters() {
        return parameters;
    }

    /** Shared memory of each block that the launch does not ask for. */
    public int staticSharedBytes() {
        return code.sharedBytes();
    }

    /** The most threads that a block may have. */
    public int maxThreads() {
        return maxThreads;
    }

    KernelCode code() {
        return code;
    }

    @Override
    public String toString() {
        return name();
    }
}
