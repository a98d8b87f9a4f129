package dev.obr.kernels.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Memory of the host that the GPU reads and writes itself; what lies on the heap passes through it. */
final class PinnedMemory extends CudaResource {
    private static final long BYTES = 4L << 20;

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

    private PinnedMemory(CudaDevice device, Allocation pointer) {
        super(device, "the pinned memory");
        this.pointer = pointer;
        memory = MemorySegment.ofAddress(pointer.address()).reinterpret(BYTES);
    }

    static PinnedMemory allocate(CudaDevice device) {
        Allocation pointer = new Allocation();
        device.check(JCudaDriver.cuMemAllocHost(pointer, BYTES), "cuMemAllocHost");
        return new PinnedMemory(device, pointer);
    }

    /** Its beginning. */
    MemorySegment segment(long bytes) {
        return memory.asSlice(0, bytes);
    }

    /** Cuts a segment into pieces that fit. */
    void forEachPiece(MemorySegment whole, ForPiece action) {
        for (long at = 0; at < whole.byteSize(); at += BYTES) {
            action.accept(whole.asSlice(at, Math.min(BYTES, whole.byteSize() - at)), at);
        }
    }

    @Override
    int free() {
        return JCudaDriver.cuMemFreeHost(pointer);
    }
}
