package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;

/** Something that launches kernels, with memory of its own: on paper with a model's extents, on the emulator with small ones. */
@FunctionalInterface
interface Launches {
    /** Queues them; what it allocates may stay, both devices are used for nothing else. */
    void queue(GpuDevice device, GpuStream stream);

    /** Memory of one byte again and again. */
    static GpuMemory filled(GpuDevice device, GpuStream stream, long bytes, int value) {
        GpuMemory memory = device.allocate(bytes);
        stream.fill(memory, 0, bytes, (byte) value);
        return memory;
    }

    /** Activations that are no zeros: 1.06 as half floats, 0.01 as floats. */
    static GpuMemory activations(GpuDevice device, GpuStream stream, long bytes) {
        return filled(device, stream, bytes, 0x3c);
    }
}
