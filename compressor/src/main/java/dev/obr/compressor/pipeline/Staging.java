package dev.obr.compressor.pipeline;

import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Memory of the host through which tensors travel to a device and back; each place is as large as the largest tensor so far. */
final class Staging implements AutoCloseable {
    private final Backend host;
    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> places = new ArrayList<>();

    /** @param host whose tensors travel */
    Staging(Backend host) {
        this.host = host;
    }

    /** Room for all of {@code x}, row by row. */
    MemorySegment room(int place, Tensor x) {
        while (places.size() <= place) {
            places.add(MemorySegment.NULL);
        }
        long bytes = 4L * x.rows() * x.cols();
        if (places.get(place).byteSize() < bytes) {
            places.set(place, arena.allocate(bytes, 64));
        }
        return places.get(place).asSlice(0, bytes);
    }

    /** The same with the values of {@code x}. */
    MemorySegment of(int place, Tensor x) {
        MemorySegment room = room(place, x);
        host.read(x, room);
        return room;
    }

    @Override
    public void close() {
        arena.close();
    }
}
