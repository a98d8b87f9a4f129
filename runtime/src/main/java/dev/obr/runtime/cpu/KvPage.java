package dev.obr.runtime.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Memory of some positions of a sequence, or of several sequences that begin alike: who holds it counts, and the last to leave frees it. */
final class KvPage {
    private final Arena arena = Arena.ofShared();
    private final AtomicInteger holders = new AtomicInteger(1);
    private final AtomicLong taken;
    private final MemorySegment memory;

    /** @param taken counts the bytes of all pages */
    KvPage(long bytes, AtomicLong taken) {
        try {
            this.memory = arena.allocate(bytes, 64);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw e;
        }
        this.taken = taken;
        taken.addAndGet(bytes);
    }

    MemorySegment memory() {
        return memory;
    }

    boolean isShared() {
        return holders.get() > 1;
    }

    KvPage hold() {
        holders.incrementAndGet();
        return this;
    }

    /** A page of one's own with the same content. */
    KvPage copy() {
        KvPage copy = new KvPage(memory.byteSize(), taken);
        copy.memory.copyFrom(memory);
        return copy;
    }

    void release() {
        if (holders.decrementAndGet() == 0) {
            taken.addAndGet(-memory.byteSize());
            arena.close();
        }
    }
}
