package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.ComputeCapability;

/**
 * What an emulated device pretends to be.
 *
 * @param memoryBytes what can be allocated of it
 * @param emulator how its kernels run
 */
public record EmulatedDeviceOptions(ComputeCapability capability, long memoryBytes, EmulatorOptions emulator) {
    private static final long MEMORY_BYTES = 1L << 30;

    /** 1 GiB, everything checked. */
    public static EmulatedDeviceOptions checked(ComputeCapability capability) {
        return new EmulatedDeviceOptions(capability, MEMORY_BYTES, EmulatorOptions.checked());
    }

    public EmulatedDeviceOptions withMemoryBytes(long bytes) {
        return new EmulatedDeviceOptions(capability, bytes, emulator);
    }

    public EmulatedDeviceOptions withEmulator(EmulatorOptions other) {
        return new EmulatedDeviceOptions(capability, memoryBytes, other);
    }

    /** The most shared memory of a block, static and dynamic, that a kernel may ask for (CUDA C++ Programming Guide, technical specifications by compute capability). */
    int sharedBytesLimit() {
        boolean ofADataCenter = capability.minor() == 0;
        return (!ofADataCenter ? 99 : capability.major() == 8 ? 163 : 227) << 10;
    }

    /** Of the A100, RTX 3090, RTX 4090 and H100. */
    int multiprocessors() {
        return switch (capability.toString()) {
            case "sm_80" -> 108;
            case "sm_86" -> 82;
            case "sm_89" -> 128;
            default -> 132;
        };
    }
}
