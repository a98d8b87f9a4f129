package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;

/**
 * A dense weight of codes in a device's memory, for inputs that are not coded: {@code | codes, rows as in the file | scales |}.
 *
 * @param bits of a code, 4 or 8
 * @param features output channels
 * @param columns input channels, a multiple of 16
 * @param memory freed with this
 * @param scalesOffset where the scales begin
 */
public record CodeWeights(int bits, int features, int columns, GpuMemory memory, long scalesOffset)
        implements AutoCloseable {
    /** Columns of a lane: rows are a multiple of them. */
    public static final int ROW_UNIT = 16;

    /**
     * Copies a weight to a device; its host memory stays as it is until the stream has passed.
     *
     * @throws ObrException where it is pruned, or its rows are no multiple of 16 columns
     */
    public static CodeWeights upload(PackedMatrix weight, GpuDevice device, GpuStream stream) {
        if (weight.pattern() != Pattern.DENSE || weight.cols() < ROW_UNIT || weight.cols() % ROW_UNIT != 0) {
            throw new ObrException("a weight on " + weight.pattern() + " with " + weight.cols()
                    + " input channels is to be multiplied with half floats; dense ones with a multiple of " + ROW_UNIT
                    + " can be");
        }
        long scales = weight.codes().byteSize();
        GpuMemory memory = device.allocate(scales + weight.scales().byteSize());
        stream.copyIn(weight.codes(), memory, 0);
        stream.copyIn(weight.scales(), memory, scales);
        return new CodeWeights(weight.bits(), weight.rows(), weight.cols(), memory, scales);
    }

    @Override
    public void close() {
        memory.close();
    }
}
