/**
 * Runs PTX without a GPU, slowly and strictly: a parser for what NVIDIA's compiler emits, an executor of warps with the memory model's rules as errors, and counters of what a GPU would have to
 * do (shared memory wavefronts, global memory sectors, tensor core products).
 *
 * <p>{@link dev.obr.kernels.emulator.PtxModule} parses, {@link dev.obr.kernels.emulator.Emulator} launches, {@link dev.obr.kernels.emulator.GlobalMemory} is the device's memory.
 */
@NullMarked
package dev.obr.kernels.emulator;

import org.jspecify.annotations.NullMarked;
