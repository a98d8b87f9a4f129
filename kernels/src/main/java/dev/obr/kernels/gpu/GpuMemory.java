package dev.obr.kernels.gpu;

/** A range of a device's memory. Freed by {@link #close}, after the work that uses it. */
public interface GpuMemory extends AutoCloseable {
    /** Where it begins in the device's address space. */
    long address();

    long byteSize();

    @Override
    void close();
}
