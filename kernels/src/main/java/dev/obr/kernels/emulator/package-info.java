/**
 * Runs PTX without a GPU, slowly and strictly: a parser for what NVIDIA's compiler emits, an executor of warps with the memory model's rules as errors, and counters of what a GPU would have to
 * do (shared memory wavefronts, global memory sectors, tensor core products).
 *
 * <p>{@link dev.obr.kernels.emulator.PtxModule} parses, {@link dev.obr.kernels.emulator.Emulator} launches, {@link dev.obr.kernels.emulator.GlobalMemory} is the device's memory. Inside,
 * {@link dev.obr.kernels.emulator.PtxParser} reads a module, {@link dev.obr.kernels.emulator.KernelBuilder} decodes each instruction of a kernel once into an
 * {@link dev.obr.kernels.emulator.Operation} on places of the register files ({@link dev.obr.kernels.emulator.Decoder} knows which family an opcode belongs to), and a
 * {@link dev.obr.kernels.emulator.Warp} runs these for the lanes that are together.
 *
 * <p>What is an error, always: accesses outside of all regions and misaligned ones; lanes that miss an instruction of the whole warp or read a lane that does not take part; barriers that are waited
 * for for ever; illegal sparsity metadata; a warp that does not end. What is an error with {@link dev.obr.kernels.emulator.EmulatorOptions#check}: reading bytes of global or shared memory that
 * nobody has written; shared bytes that two warps access, one writing, with no barrier that orders them; shared bytes of a cp.async that has not been waited for; lanes of one instruction that store
 * different values to one address; bytes of global memory that two blocks, or two warps with no barrier between, write. What is not noticed: lanes of one warp that exchange data through memory in
 * two instructions with no bar.warp.sync between; reads of global memory that race with writes; local memory and registers that are read before they are written.
 */
@NullMarked
package dev.obr.kernels.emulator;

import org.jspecify.annotations.NullMarked;
