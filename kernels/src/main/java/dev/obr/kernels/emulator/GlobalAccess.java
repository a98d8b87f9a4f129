package dev.obr.kernels.emulator;

import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Global memory as one thread of the host reads and writes it: with bounds, written bytes and sectors. */
final class GlobalAccess {
    private final LaunchMemory launch;
    private final KernelCounters counters;
    private final boolean check;
    private final SectorModel sectors = new SectorModel();
    /** Where the last access went, which the next one mostly does too. */
    private Region last;

    GlobalAccess(LaunchMemory launch, KernelCounters counters, boolean check) {
        this.launch = launch;
        this.counters = counters;
        this.check = check;
        this.last = launch.variables();
    }

    void read(Warp warp, Request request) {
        count(warp, request);
        int bytes = request.bytes();
        int size = request.elementBytes;
        long[] data = request.data;
        int lanes = 0;
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            Region region = region(lane, request.addresses[lane], bytes, "reads");
            long offset = request.addresses[lane] - region.start();
            for (int e = 0; e < request.elements; e++) {
                if (check && !region.initialised(offset + (long) e * size, size)) {
                    throw new Fault(
                            lane,
                            "reads " + size + " bytes at 0x"
                                    + Long.toHexString(request.addresses[lane] + (long) e * size)
                                    + " that nobody has written, in the region " + region);
                }
                data[Warp.LANES * e + lane] = region.get(offset + (long) e * size, size);
            }
            lanes++;
        }
        counters.bytesRead += (long) lanes * bytes;
    }

    void write(Warp warp, Request request) {
        count(warp, request);
        if (check) {
            request.checkStores();
        }
        int bytes = request.bytes();
        int size = request.elementBytes;
        int lanes = 0;
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            Region region = region(lane, request.addresses[lane], bytes, "writes");
            long offset = request.addresses[lane] - region.start();
            for (int e = 0; e < request.elements; e++) {
                region.put(offset + (long) e * size, size, request.data[Warp.LANES * e + lane]);
                region.written(offset + (long) e * size, size);
            }
            lanes++;
        }
        if (check && !request.synchronising) {
            launch.races().written(warp, request);
        }
        counters.bytesWritten += (long) lanes * bytes;
    }

    /** Replaces the value at an address by a function of it, which no other thread of the host gets between; the value before. */
    long update(int lane, long address, int bytes, LongUnaryOperator f) {
        Region region = region(lane, address, bytes, "updates");
        long offset = address - region.start();
        if (check && !region.initialised(offset, bytes)) {
            throw new Fault(
                    lane,
                    "updates " + bytes + " bytes at 0x" + Long.toHexString(address)
                            + " that nobody has written, in the region " + region);
        }
        counters.bytesRead += bytes;
        counters.bytesWritten += bytes;
        synchronized (launch.lock(address)) {
            long before = region.get(offset, bytes);
            region.put(offset, bytes, f.applyAsLong(before));
            return before;
        }
    }

    /** Counts the sectors of a request. */
    void count(Warp warp, Request request) {
        sectors.count(request.addresses, request.mask, request.bytes());
        counters.sectors[warp.at] += sectors.sectors();
        counters.idealSectors[warp.at] += sectors.ideal();
    }

    private Region region(int lane, long address, int bytes, String what) {
        Region region = last;
        if (address >= region.start() && address + bytes <= region.end()) {
            return region;
        }
        Region found = launch.find(address);
        if (found == null || address + bytes > found.end()) {
            throw new Fault(
                    lane,
                    what + " " + bytes + " bytes at 0x" + Long.toHexString(address) + beyond(address, found)
                            + "; the regions of the device's memory are " + launch.memory());
        }
        last = found;
        return found;
    }

    private static String beyond(long address, @Nullable Region found) {
        return found != null
                ? ", across the end of " + found
                : address == 0 ? ", a null pointer" : ", which lies in no region";
    }
}
