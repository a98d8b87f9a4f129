package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.GpuMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A region of an emulated device, at addresses that mean nothing to the host. */
final class EmulatedMemory extends EmulatedResource implements GpuMemory {
    private static final long ALIGNMENT = 256;

    /** What memory holds that nobody has written; a NaN in float16 and float32, and no plausible integer. */
    private static final byte GARBAGE = (byte) 0xFF;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final long address;

    EmulatedMemory(EmulatedDevice device, long address, long bytes) {
        super(device, bytes + " bytes of GPU memory");
        this.address = address;
        memory = arena.allocate(bytes, ALIGNMENT).fill(GARBAGE);
        device.memory().map(address, memory, false);
    }

    @Override
    public long address() {
        enter();
        return address;
    }

    @Override
    public long byteSize() {
        return memory.byteSize();
    }

    /** The address of a range, which is checked. */
    long at(EmulatedDevice user, long offset, long bytes) {
        requireOf(user);
        checkRange(offset, bytes);
        return address + offset;
    }

    /** A range of its bytes. */
    MemorySegment bytes(long offset, long bytes) {
        return memory.asSlice(offset, bytes);
    }

    @Override
    void free() {
        try {
            if (!device().failed()) {
                device().runStreams();
            }
        } finally {
            device().memory().unmap(address);
            device().freed(memory.byteSize());
            arena.close();
        }
    }
}
