/** Runs packed models on a {@link dev.obr.kernels.gpu.GpuDevice}: weights, activations and caches in its memory, one graph a step. */
@NullMarked
package dev.obr.runtime.gpu;

import org.jspecify.annotations.NullMarked;
