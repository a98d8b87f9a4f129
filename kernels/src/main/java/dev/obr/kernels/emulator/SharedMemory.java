package dev.obr.kernels.emulator;

import java.util.Arrays;
import java.util.function.LongUnaryOperator;

/**
 * The shared memory of a thread block. Beside the bytes it keeps who wrote them, under which reading of the warp's clock, and who has read them since, and so finds what nobody has written, what
 * is still on its way (cp.async), and accesses of two warps, one of them a write, that no barrier lies between. Lanes of one warp are not told apart.
 *
 * <p>All that is kept for words of 4 bytes until the first access to less, from when on it is kept for single bytes.
 */
final class SharedMemory {
    private static final int ATOMIC = 32;
    private static final int LABEL_SHIFT = 6;

    private final byte[] bytes;
    private final int warps;
    private final boolean check;
    private final KernelCounters counters;
    private final WarpOrder order;
    private final BankModel banks = new BankModel();
    /** log2 of the bytes that one entry of the following stands for. */
    private int granularity = 2;
    /** Label, whether it was atomic, and warp of the last write; 0 if there was none. */
    private int[] writers;
    /** The instruction of the last write. */
    private int[] writtenAt;
    /** Whether a cp.async has been issued and not been waited for. */
    private boolean[] pending;
    /** For each warp the label of its last read. */
    private int[] readers;

    SharedMemory(int size, int warps, boolean check, KernelCounters counters) {
        this.bytes = new byte[size + 3 & -4];
        this.warps = warps;
        this.check = check;
        this.counters = counters;
        this.order = new WarpOrder(warps);
        int entries = check ? bytes.length >> granularity : 0;
        this.writers = new int[entries];
        this.writtenAt = new int[entries];
        this.pending = new boolean[entries];
        this.readers = new int[entries * warps];
    }

    /** Begins a thread block. */
    void reset() {
        Arrays.fill(bytes, (byte) 0);
        Arrays.fill(writers, 0);
        Arrays.fill(pending, false);
        Arrays.fill(readers, 0);
        order.reset();
    }

    WarpOrder order() {
        return order;
    }

    int size() {
        return bytes.length;
    }

    void read(Warp warp, Request request) {
        count(warp, request);
        int size = request.elementBytes;
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            int at = at(lane, request.addresses[lane], request.bytes());
            if (check) {
                checkRead(warp, lane, at, request.bytes(), request.synchronising);
            }
            for (int e = 0; e < request.elements; e++) {
                request.data[Warp.LANES * e + lane] = LocalMemory.get(bytes, at + e * size, size);
            }
        }
    }

    void write(Warp warp, Request request) {
        count(warp, request);
        if (check) {
            request.checkStores();
        }
        int size = request.elementBytes;
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            int at = at(lane, request.addresses[lane], request.bytes());
            if (check) {
                checkWrite(warp, lane, at, request.bytes(), request.synchronising);
                noteWrite(warp, at, request.bytes(), request.synchronising);
            }
            for (int e = 0; e < request.elements; e++) {
                LocalMemory.put(bytes, at + e * size, size, request.data[Warp.LANES * e + lane]);
            }
        }
    }

    /** Replaces the value at an address by a function of it; the value before. */
    long update(Warp warp, int lane, long address, int size, LongUnaryOperator f) {
        int at = at(lane, address, size);
        if (check) {
            for (int i = first(at, size); i <= at + size - 1 >> granularity; i++) {
                if (writers[i] == 0) {
                    throw uninitialised(lane, at, size);
                }
            }
            checkWrite(warp, lane, at, size, true);
            noteWrite(warp, at, size, true);
        }
        long before = LocalMemory.get(bytes, at, size);
        LocalMemory.put(bytes, at, size, f.applyAsLong(before));
        return before;
    }

    /** A cp.async is on its way to some bytes: until it has been waited for they can be neither read nor written. */
    void announce(Warp warp, int lane, long address, int size) {
        int at = at(lane, address, size);
        if (check) {
            checkWrite(warp, lane, at, size, false);
            for (int i = first(at, size); i <= at + size - 1 >> granularity; i++) {
                pending[i] = true;
                writtenAt[i] = warp.at;
            }
        }
    }

    /** A cp.async that has been announced arrives. */
    void arrive(Warp warp, int at, int size, long low, long high) {
        if (check) {
            for (int i = first(at, size); i <= at + size - 1 >> granularity; i++) {
                pending[i] = false;
            }
            noteWrite(warp, at, size, false);
        }
        LocalMemory.put(bytes, at, Math.min(size, 8), low);
        if (size == 16) {
            LocalMemory.put(bytes, at + 8, 8, high);
        }
    }

    /** Counts the wavefronts of a request. */
    void count(Warp warp, Request request) {
        banks.count(request.addresses, request.mask, request.bytes());
        counters.wavefronts[warp.at] += banks.wavefronts();
        counters.idealWavefronts[warp.at] += banks.ideal();
    }

    private int at(int lane, long address, int size) {
        if (address < 0 || address > bytes.length - size) {
            throw new Fault(
                    lane,
                    "the shared address 0x" + Long.toHexString(address) + " of " + size
                            + " bytes lies outside the block's " + bytes.length + " bytes of shared memory");
        }
        return (int) address;
    }

    /** The first entry of an access. */
    private int first(int at, int size) {
        if (size < 1 << granularity) {
            refine();
        }
        return at >> granularity;
    }

    private void refine() {
        int times = 1 << granularity;
        granularity = 0;
        int[] finerWriters = new int[writers.length * times];
        int[] finerWrittenAt = new int[writers.length * times];
        boolean[] finerPending = new boolean[writers.length * times];
        int[] finerReaders = new int[readers.length * times];
        for (int i = 0; i < finerWriters.length; i++) {
            finerWriters[i] = writers[i / times];
            finerWrittenAt[i] = writtenAt[i / times];
            finerPending[i] = pending[i / times];
            System.arraycopy(readers, i / times * warps, finerReaders, i * warps, warps);
        }
        writers = finerWriters;
        writtenAt = finerWrittenAt;
        pending = finerPending;
        readers = finerReaders;
    }

    private void checkRead(Warp warp, int lane, int at, int size, boolean synchronising) {
        int label = order.label(warp.index);
        for (int i = first(at, size); i <= at + size - 1 >> granularity; i++) {
            int tag = writers[i];
            if (pending[i]) {
                throw pending(lane, "reads", i, warp);
            }
            if (tag == 0) {
                throw uninitialised(lane, at, size);
            }
            if (unordered(tag, warp, synchronising)) {
                throw race(lane, "reads", i, tag, warp);
            }
            if (!synchronising) {
                readers[i * warps + warp.index] = label;
            }
        }
    }

    private void checkWrite(Warp warp, int lane, int at, int size, boolean synchronising) {
        for (int i = first(at, size); i <= at + size - 1 >> granularity; i++) {
            int tag = writers[i];
            if (pending[i]) {
                throw pending(lane, "writes", i, warp);
            }
            if (tag != 0 && unordered(tag, warp, synchronising)) {
                throw race(lane, "writes", i, tag, warp);
            }
            for (int other = 0; other < warps; other++) {
                int read = readers[i * warps + other];
                if (read != 0 && !order.ordered(other, read, warp.index)) {
                    throw new Fault(
                            lane,
                            "writes the shared byte 0x" + Integer.toHexString(i << granularity) + " that warp " + other
                                    + " has read with no barrier between");
                }
            }
        }
    }

    private void noteWrite(Warp warp, int at, int size, boolean synchronising) {
        int tag = order.label(warp.index) << LABEL_SHIFT | (synchronising ? ATOMIC : 0) | warp.index;
        for (int i = first(at, size); i <= at + size - 1 >> granularity; i++) {
            writers[i] = tag;
            writtenAt[i] = warp.at;
        }
    }

    private boolean unordered(int tag, Warp warp, boolean synchronising) {
        return !order.ordered(tag & ATOMIC - 1, tag >>> LABEL_SHIFT, warp.index)
                && !(synchronising && (tag & ATOMIC) != 0);
    }

    private Fault race(int lane, String what, int entry, int tag, Warp warp) {
        return new Fault(
                lane,
                what + " the shared byte 0x" + Integer.toHexString(entry << granularity) + " that warp "
                        + (tag & ATOMIC - 1) + " has written at " + warp.block.instruction(writtenAt[entry])
                        + " with no barrier between");
    }

    private Fault pending(int lane, String what, int entry, Warp warp) {
        return new Fault(
                lane,
                what + " the shared byte 0x" + Integer.toHexString(entry << granularity)
                        + " that is still to come by " + warp.block.instruction(writtenAt[entry])
                        + ": its thread has not waited for that group");
    }

    private static Fault uninitialised(int lane, int at, int size) {
        return new Fault(
                lane,
                "reads " + size + " bytes at the shared address 0x" + Integer.toHexString(at)
                        + " that nobody has written");
    }
}
