package dev.obr.kernels.cuda;

import java.lang.foreign.MemorySegment;

/** Memory of a device for one call's operands, and the stream that fills it; freed together, the latest first. */
final class CallMemory implements AutoCloseable {
    private static final double SHARE = 0.9;

    private final CudaDevice device;
    private final CudaStream stream;
    private final Owned memories = new Owned();

    CallMemory(CudaDevice device, CudaStream stream) {
        this.device = device;
        this.stream = stream;
    }

    /** With undefined contents. */
    CudaMemory of(long bytes) {
        return memories.add(device.own(device.allocate(bytes)));
    }

    CudaMemory copyIn(MemorySegment from) {
        CudaMemory memory = of(from.byteSize());
        stream.copyIn(from, memory, 0);
        return memory;
    }

    /** How many of {@code rows} to compute at once, each of which takes so many bytes; libraries take some memory, too. */
    int rowsAtOnce(int rows, long bytesEach) {
        return (int) Math.clamp((long) (SHARE * device.freeBytes()) / bytesEach, 1, rows);
    }

    @Override
    public void close() {
        memories.close();
    }
}
