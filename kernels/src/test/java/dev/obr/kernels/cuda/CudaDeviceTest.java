package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuDeviceContract;
import org.junit.jupiter.api.Assumptions;

/** The contract over a GPU; skipped, saying why, where there is none. */
class CudaDeviceTest extends GpuDeviceContract {
    @Override
    protected GpuDevice open() {
        CudaDevices.Probe probe = CudaDevices.probe();
        Assumptions.assumeFalse(probe.gpus().isEmpty(), probe.refusal());
        return CudaDevice.open(0);
    }

    /** A kernel that fails may leave the process without a GPU, and the other tests with it. */
    @Override
    protected String whyNoKernelMayFail() {
        return "a failed kernel is not tried on a GPU: its driver may refuse this process from then on";
    }
}
