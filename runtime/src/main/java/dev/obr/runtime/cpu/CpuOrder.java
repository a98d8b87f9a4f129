package dev.obr.runtime.cpu;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.runtime.transformer.DeviceOrder;

/** An order of an input's components, on the heap. */
record CpuOrder(ColumnOrder order) implements DeviceOrder {
    @Override
    public int size() {
        return order.size();
    }
}
