package dev.obr.kernels.gpu;

/** One entry of a module. */
public interface GpuKernel {
    /** Static and dynamic shared memory of a block that a kernel may be launched with unasked. */
    int SHARED_BYTES_UNASKED = 48 << 10;

    String name();

    /**
     * Allows launches with this much dynamic shared memory; above {@link #SHARED_BYTES_UNASKED} a kernel has to ask.
     *
     * @throws dev.obr.kernels.ObrException naming the device's limit where it has less
     */
    void allowSharedBytes(int bytes);
}
