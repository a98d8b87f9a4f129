package dev.obr.kernels.emulator;

/**
 * A parameter of a kernel.
 *
 * @param name as the module declares it
 * @param type of its elements, as in {@code u64} or {@code b8}
 * @param bytes of the whole parameter
 * @param offset in the block of all parameters
 */
public record PtxParameter(String name, String type, int bytes, int offset) {}
