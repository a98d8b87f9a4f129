package dev.obr.kernels.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Memory for the weights of one model, in huge pages where the system grants them: a stream of weights otherwise waits for a page's address every 4 KiB. Weights are slices of large blocks,
 * for most of them are smaller than some huge pages and would lie in small ones at their ends.
 *
 * <p>Not cleared, and given back when the arena closes. For one thread.
 */
final class WeightMemory implements SegmentAllocator {
    /** What is unused at a block's end is never touched, and costs no memory. */
    private static final long BLOCK = 64L << 20;

    private final PackedBinding c;
    private final Arena arena;
    private MemorySegment block = MemorySegment.NULL;
    private long used;

    WeightMemory(PackedBinding c, Arena arena) {
        this.c = c;
        this.arena = arena;
    }

    /** @throws dev.obr.kernels.ObrException if there is not enough memory */
    @Override
    public MemorySegment allocate(long bytes, long alignment) {
        long at = Math.ceilDiv(used, alignment) * alignment;
        if (at + bytes > block.byteSize()) {
            block = c.allocate(Math.max(bytes, BLOCK), arena);
            at = 0;
        }
        used = at + bytes;
        return block.asSlice(at, bytes);
    }
}
