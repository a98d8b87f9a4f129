package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.ComputeCapability;

/**
 * One GPU that the driver lists.
 *
 * @param index its number for {@link CudaDevice#open}
 * @param name as the driver calls it
 * @param totalBytes its memory
 * @param driverVersion the CUDA version that the driver supports, as 12040 for 12.4
 */
public record CudaGpu(int index, String name, ComputeCapability capability, long totalBytes, int driverVersion) {
    /** The version as NVIDIA writes it: "12.4". */
    public String cudaVersion() {
        return CudaDriver.written(driverVersion);
    }
}
