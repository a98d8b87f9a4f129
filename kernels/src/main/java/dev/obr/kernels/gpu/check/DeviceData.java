package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What goes to a device and comes back: one stream, host memory, and memory of the device that is freed with this. */
public final class DeviceData implements AutoCloseable {
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final byte UNTOUCHED = (byte) 0xa5;
    private static final int GUARD_BYTES = 256;

    private final GpuDevice device;
    private final GpuStream stream;
    private final Arena arena = Arena.ofConfined();
    private final List<GpuMemory> owned = new ArrayList<>();

    public DeviceData(GpuDevice device) {
        this.device = device;
        this.stream = device.newStream();
    }

    public GpuDevice device() {
        return device;
    }

    public GpuStream stream() {
        return stream;
    }

    public Arena arena() {
        return arena;
    }

    /** Memory that holds what {@code from} does. */
    public GpuMemory upload(MemorySegment from) {
        GpuMemory memory = own(device.allocate(from.byteSize()));
        stream.copyIn(from, memory, 0);
        return memory;
    }

    /** Memory for results: what is not written shows, and so does what is written behind its end. */
    GpuMemory results(long bytes) {
        GpuMemory memory = own(device.allocate(bytes + GUARD_BYTES));
        stream.fill(memory, 0, memory.byteSize(), UNTOUCHED);
        return memory;
    }

    /** All of a memory, when the stream has passed. */
    public MemorySegment download(GpuMemory memory) {
        MemorySegment to = arena.allocate(memory.byteSize());
        stream.copyOut(memory, 0, to);
        stream.synchronize();
        return to;
    }

    /** That nothing was written behind the end of what {@link #results} gave. */
    static Comparison guard(MemorySegment results) {
        int first = Math.toIntExact(results.byteSize() - GUARD_BYTES);
        return Comparison.equal(
                        GUARD_BYTES,
                        i -> results.get(ValueLayout.JAVA_BYTE, first + i),
                        i -> UNTOUCHED,
                        i -> "byte " + i + " behind the end of the results")
                .withoutValues();
    }

    private GpuMemory own(GpuMemory memory) {
        owned.add(memory);
        return memory;
    }

    @Override
    public void close() {
        try {
            owned.reversed().forEach(GpuMemory::close);
            stream.close();
        } finally {
            arena.close();
        }
    }

    /** Normally distributed numbers. */
    static float[] gaussian(int n, Random random) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
