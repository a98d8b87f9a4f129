package dev.obr.bench.gpu;

import dev.obr.kernels.gpu.GpuStream;

/** Something on a device that is measured. */
public interface Timed extends Repeated {
    /** Queues it once more. What it reads is another copy each turn, so that no cache still holds it. */
    void queue(GpuStream stream, int turn);

    /** Whether a graph can hold it: what a library queues by itself cannot be recorded. */
    boolean recordable();
}
