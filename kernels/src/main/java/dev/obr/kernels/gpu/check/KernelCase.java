package dev.obr.kernels.gpu.check;

/** One run of a kernel on chosen data. Its text says of what. */
public interface KernelCase {
    /** From which extent on it is checked. */
    Extent extent();

    /**
     * Runs it and compares with the scalar twin.
     *
     * @throws dev.obr.kernels.ObrException where the device fails
     */
    Comparison run(DeviceData data);
}
