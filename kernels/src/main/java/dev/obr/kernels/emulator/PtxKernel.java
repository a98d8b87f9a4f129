package dev.obr.kernels.emulator;

import java.util.List;

/** An entry of a module, decoded. */
public final class PtxKernel {
    private final String name;
    private final List<PtxParameter> parameters;
    private final int staticSharedBytes;
    private final int maxThreads;

    PtxKernel(String name, List<PtxParameter> parameters, int staticSharedBytes, int maxThreads) {
        this.name = name;
        this.parameters = List.copyOf(parameters);
        this.staticSharedBytes = staticSharedBytes;
        this.maxThreads = maxThreads;
    }

    public String name() {
        return name;
    }

    public List<PtxParameter> parameters() {
        return parameters;
    }

    /** Shared memory of each block that the launch does not ask for. */
    public int staticSharedBytes() {
        return staticSharedBytes;
    }

    /** The most threads that a block may have. */
    public int maxThreads() {
        return maxThreads;
    }
}
