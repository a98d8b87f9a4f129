package dev.obr.kernels.cuda;

import dev.obr.kernels.linalg.LinearAlgebra;

/** {@link CudaLinearAlgebra} over the stand-ins of this process, for tests of whoever computes with it. */
public final class StandInAlgebra {
    private StandInAlgebra() {}

    /**
     * Opens it; nothing is left to the host.
     *
     * @param memoryBytes of the device
     */
    public static CudaLinearAlgebra open(LinearAlgebra host, long memoryBytes) {
        StandInDriver.shared().configure(StandInDriver.Options.USUAL.withMemory(memoryBytes));
        StandInDriver.shared().fail(0, 0);
        StandInLibraries.shared();
        return CudaLinearAlgebra.open(0, host, 0);
    }

    /** The same, but what is small stays on the host, as users have it. */
    public static CudaLinearAlgebra openAsUsersDo(LinearAlgebra host, long memoryBytes) {
        open(host, memoryBytes).close();
        return CudaLinearAlgebra.open(0, host);
    }
}
