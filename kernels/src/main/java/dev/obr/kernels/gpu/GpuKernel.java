package dev.obr.kernels.gpu;

/** One entry of a module. */
public interface GpuKernel {
    String name();

    /**
     * Allows launches with this much dynamic shared memory; above 48 KB a kernel has to ask.
     *
     * @throws dev.obr.kernels.ObrException naming the device's limit where it has less
     */
    void allowSharedBytes(int bytes);
}
