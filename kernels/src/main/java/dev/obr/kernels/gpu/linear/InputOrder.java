package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.linalg.ColumnOrder;
import java.lang.foreign.MemorySegment;

/**
 * A {@link ColumnOrder} in a device's memory, in which the quantisers' kernels store their codes: 16 bits a column, whole steps of 128, columns after the last as themselves.
 *
 * @param columns that are ordered
 * @param memory freed with this
 */
public record InputOrder(int columns, GpuMemory memory) implements AutoCloseable {
    /** Copies an order to a device. */
    public static InputOrder upload(ColumnOrder order, GpuDevice device, GpuStream stream) {
        if (order.size() < 1 || order.size() > NormQuantizer.MOST_COLUMNS) {
            throw new ObrException(
                    order.size() + " columns are ordered; 1 to " + NormQuantizer.MOST_COLUMNS + " can be");
        }
        short[] columns = new short[SparseFragments.steps(order.size()) * SparseFragments.STEP];
        for (int j = 0; j < columns.length; j++) {
            columns[j] = (short) (j < order.size() ? order.column(j) : j);
        }
        GpuMemory memory = device.allocate((long) columns.length * Short.BYTES);
        stream.copyIn(MemorySegment.ofArray(columns), memory, 0);
        stream.synchronize();
        return new InputOrder(order.size(), memory);
    }

    /** Makes sure that this orders so many columns. */
    public void check(int columns) {
        if (this.columns != columns) {
            throw new ObrException("an order of " + this.columns + " columns is given for " + columns);
        }
    }

    /** Bytes of shared memory by which a token's codes come to be in order. */
    int sharedBytes() {
        return (int) memory.byteSize() / Short.BYTES;
    }

    @Override
    public void close() {
        memory.close();
    }
}
