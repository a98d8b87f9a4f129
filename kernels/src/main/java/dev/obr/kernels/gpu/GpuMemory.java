package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;

/** A range of a device's memory. */
public interface GpuMemory extends AutoCloseable {
    /** Where it begins in the device's address space. */
    long address();

    long byteSize();

    /**
     * Frees it, after everything that is queued on the device: this waits, so that no kernel still reads or writes what the next allocation gets. A graph that uses it must not be
     * launched any more.
     */
    @Override
    void close();

    /**
     * Makes sure that this holds so many bytes from its beginning.
     *
     * @param what lies in it, for the error
     */
    default void requireBytes(String what, long bytes) {
        if (byteSize() < bytes) {
            throw new ObrException(
                    "the memory of the " + what + " has " + byteSize() + " bytes, but " + bytes + " are needed");
        }
    }

    /** Makes sure that a range lies within this. */
    default void checkRange(long offset, long bytes) {
        if (offset < 0 || bytes < 0 || offset > byteSize() - bytes) {
            throw new IndexOutOfBoundsException(
                    bytes + " bytes from " + offset + " on, of " + byteSize() + " bytes of GPU memory");
        }
    }
}
