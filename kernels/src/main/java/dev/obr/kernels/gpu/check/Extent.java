package dev.obr.kernels.gpu.check;

/** How much is checked; each has the cases of those before. */
public enum Extent {
    /** What an emulator runs in seconds. */
    QUICK,
    /** Every tile and form of each kernel. */
    USUAL,
    /** The shapes of models too, for GPUs: thousands of thread blocks at once. */
    DEVICE
}
