package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.lang.foreign.MemorySegment;

/**
 * {@link SparseFragments} in a device's memory.
 *
 * @param features output channels
 * @param columns input channels
 */
public record SparseWeights(int features, int columns, GpuMemory codes, GpuMemory kept, GpuMemory scales)
        implements AutoCloseable {
    /** Copies a weight to a device; its host memory stays until the stream has passed. */
    public static SparseWeights upload(SparseFragments weight, GpuDevice device, GpuStream stream) {
        return new SparseWeights(
                weight.features(),
                weight.columns(),
                copy(weight.codes(), device, stream),
                copy(weight.kept(), device, stream),
                copy(weight.scales(), device, stream));
    }

    private static GpuMemory copy(MemorySegment from, GpuDevice device, GpuStream stream) {
        GpuMemory memory = device.allocate(from.byteSize());
        stream.copyIn(from, memory, 0);
        return memory;
    }

    @Override
    public void close() {
        codes.close();
        kept.close();
        scales.close();
    }
}
