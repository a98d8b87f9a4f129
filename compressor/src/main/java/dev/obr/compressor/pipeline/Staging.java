package dev.obr.compressor.pipeline;

import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.DeviceAlgebra.HostBuffer;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Memory of the host through which tensors travel to a device and back; each place is as large as the largest tensor so far. */
final class Staging implements AutoCloseable {
    private final Backend host;
    private final DeviceAlgebra device;
    private final List<HostBuffer> places = new ArrayList<>();

    /** @param host whose tensors travel */
    Staging(Backend host, DeviceAlgebra device) {
        this.host = host;
        this.device = device;
    }

    /** Room for all of {@code x}, row by row. */
    MemorySegment room(int place, Tensor x) {
        long bytes = 4L * x.rows() * x.cols();
        while (places.size() <= place) {
            places.add(device.buffer(bytes));
        }
        if (places.get(place).segment().byteSize() < bytes) {
            places.set(place, device.buffer(bytes)).close();
        }
        return places.get(place).segment().asSlice(0, bytes);
    }

    /** The same with the values of {@code x}. */
    MemorySegment of(int place, Tensor x) {
        MemorySegment room = room(place, x);
        host.read(x, room);
        return room;
    }

    @Override
    public void close() {
        places.forEach(HostBuffer::close);
    }
}
