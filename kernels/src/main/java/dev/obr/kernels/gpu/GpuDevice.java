package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;

/**
 * One device that runs PTX: memory, modules, streams and events. Closing it frees whatever it still holds.
 *
 * <p>Failures of the device are {@link ObrException}s that name the call, the device's own error and, where there is one, the remedy. A device is used from one
 * thread at a time.
 */
public interface GpuDevice extends AutoCloseable {
    /** What it is, for one line of a report: "NVIDIA A100-SXM4-80GB", "PTX emulator". */
    String name();

    ComputeCapability capability();

    /** Streaming multiprocessors: how many thread blocks run at once at least. */
    int multiprocessors();

    long freeBytes();

    long totalBytes();

    /**
     * Memory of the device, aligned to 256 bytes, with undefined contents.
     *
     * @param bytes at least 1
     * @throws OutOfGpuMemoryException naming the needed and the free bytes where it does not fit
     */
    GpuMemory allocate(long bytes);

    /**
     * Assembles PTX for this device.
     *
     * @param name what errors call it, such as a resource's name
     * @param ptx its text
     */
    GpuModule load(String name, String ptx);

    /** A queue of its own; work in two streams runs in no order but the events'. */
    GpuStream newStream();

    GpuEvent newEvent();

    /** Waits until all streams are empty; an error of a kernel that ran before surfaces here at the latest. */
    void synchronize();

    @Override
    void close();

    /** What {@link #allocate} throws where it does not fit. */
    static OutOfGpuMemoryException outOfMemory(GpuDevice device, long bytes) {
        return new OutOfGpuMemoryException(device + " is out of memory: " + bytes + " bytes needed, "
                + device.freeBytes() + " of " + device.totalBytes() + " free");
    }
}
