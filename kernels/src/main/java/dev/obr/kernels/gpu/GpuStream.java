package dev.obr.kernels.gpu;

import java.lang.foreign.MemorySegment;

/**
 * A queue of work that runs in order. Every method but {@link #synchronize} returns before its work is done: host memory that is copied from or to stays alive and untouched until then. A
 * device may copy segments of the heap while the caller waits.
 */
public interface GpuStream extends AutoCloseable {
    /** @param offset in {@code to}, bytes */
    void copyIn(MemorySegment from, GpuMemory to, long offset);

    /** @param offset in {@code from}, bytes */
    void copyOut(GpuMemory from, long offset, MemorySegment to);

    void copy(GpuMemory from, long fromOffset, GpuMemory to, long toOffset, long bytes);

    /** Sets bytes to a value. */
    void fill(GpuMemory memory, long offset, long bytes, byte value);

    void launch(GpuKernel kernel, LaunchShape shape, KernelArguments arguments);

    void record(GpuEvent event);

    /** What is queued after this waits for the event. */
    void await(GpuEvent event);

    /**
     * Records work instead of running it.
     *
     * @param work queues launches, copies within the device and fills on this stream; nothing of the device may be allocated, loaded, freed or waited for meanwhile. What comes from the host is copied to the device before the graph is launched
     */
    GpuGraph capture(Runnable work);

    void launch(GpuGraph graph);

    void synchronize();

    @Override
    void close();
}
