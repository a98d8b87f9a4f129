/**
 * A device that runs PTX kernels: {@link dev.obr.kernels.gpu.GpuDevice} is the seam, behind it a CUDA driver or the PTX emulator. What is above sees only these interfaces.
 */
@NullMarked
package dev.obr.kernels.gpu;

import org.jspecify.annotations.NullMarked;
