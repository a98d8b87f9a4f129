package dev.obr.kernels.cuda;

import dev.obr.kernels.linalg.DeviceAlgebra;
import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Memory of the host that the GPU reads and writes itself. */
final class PinnedMemory extends CudaResource implements DeviceAlgebra.HostBuffer {
    /** What to do with a piece of a segment that begins {@code at} bytes into it. */
    interface ForPiece {
        void accept(MemorySegment piece, long at);
    }

    private final Allocation pointer;
    private final MemorySegment memory;

    /** What the driver allocated, whose address JCuda keeps to itself. */
    private static final class Allocation extends Pointer {
        long address() {
            return getNativePointer();
        }
    }

    private PinnedMemory(CudaDevice device, Allocation pointer, long bytes) {
        super(device, "the pinned memory");
        this.pointer = pointer;
        memory = MemorySegment.ofAddress(pointer.address()).reinterpret(bytes);
    }

    static PinnedMemory allocate(CudaDevice device, long bytes) {
        Allocation pointer = new Allocation();
        device.check(JCudaDriver.cuMemAllocHost(pointer, bytes), "cuMemAllocHost");
        return new PinnedMemory(device, pointer, bytes);
    }

    @Override
    public MemorySegment segment() {
        return memory;
    }

    /** Its beginning. */
    MemorySegment segment(long bytes) {
        return memory.asSlice(0, bytes);
    }

    /** Cuts a segment into pieces that fit. */
    void forEachPiece(MemorySegment whole, ForPiece action) {
        for (long at = 0; at < whole.byteSize(); at += memory.byteSize()) {
            action.accept(whole.asSlice(at, Math.min(memory.byteSize(), whole.byteSize() - at)), at);
        }
    }

    @Override
    int free() {
        return JCudaDriver.cuMemFreeHost(pointer);
    }
}
