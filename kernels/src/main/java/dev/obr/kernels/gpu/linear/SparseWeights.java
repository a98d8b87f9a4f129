package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.packed.Pattern;

/**
 * {@link SparseFragments} in a device's memory: {@code | codes | kept | scales |}.
 *
 * @param pattern of the weight
 * @param features output channels
 * @param columns input channels
 * @param memory freed with this
 * @param keptOffset where in it begins what says which codes they are
 * @param scalesOffset where the scales begin
 */
public record SparseWeights(
        Pattern pattern, int features, int columns, GpuMemory memory, long keptOffset, long scalesOffset)
        implements AutoCloseable {
    /** Copies a weight to a device; its host memory stays as it is until the stream has passed. */
    public static SparseWeights upload(SparseFragments weight, GpuDevice device, GpuStream stream) {
        long kept = weight.codes().byteSize();
        long scales = kept + weight.kept().byteSize();
        GpuMemory memory = device.allocate(scales + weight.scales().byteSize());
        stream.copyIn(weight.codes(), memory, 0);
        if (scales > kept) {
            stream.copyIn(weight.kept(), memory, kept);
        }
        stream.copyIn(weight.scales(), memory, scales);
        return new SparseWeights(weight.pattern(), weight.features(), weight.columns(), memory, kept, scales);
    }

    @Override
    public void close() {
        memory.close();
    }
}
