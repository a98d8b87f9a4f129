/**
 * {@link dev.obr.kernels.gpu.GpuDevice} on NVIDIA's driver, through JCuda's binding of the driver API. Start reading at {@link dev.obr.kernels.cuda.CudaDevices}, which says what is there or why
 * nothing is, then {@link dev.obr.kernels.cuda.CudaDevice}.
 */
@NullMarked
package dev.obr.kernels.cuda;

import org.jspecify.annotations.NullMarked;
