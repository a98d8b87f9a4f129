package dev.obr.bench.results;

import org.jspecify.annotations.Nullable;

/**
 * What a benchmark ran on.
 *
 * @param cpu the processor's name
 * @param instructions the instruction sets that the kernels use, e.g. {@code AVX2, FMA, F16C}
 * @param cores logical cores given to this process
 * @param memoryBytes of the machine
 * @param gpu the GPU's name; null without one
 * @param system name and version of the operating system
 * @param java version of the virtual machine
 * @param product version of this program
 */
public record Machine(
        String cpu,
        String instructions,
        int cores,
        long memoryBytes,
        @Nullable String gpu,
        String system,
        String java,
        String product) {}
