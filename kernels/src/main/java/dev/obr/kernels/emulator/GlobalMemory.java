package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A device's address space: regions of host memory at device addresses. Bytes of a region that was mapped uninitialised must be written, by a kernel or by whoever says so through
 * {@link #markInitialised}, before a kernel reads them.
 *
 * <p>Regions are changed while no kernel runs. Memory behind a region must be accessible to all threads of the emulator (a shared or automatic arena, or an array).
 */
public final class GlobalMemory {
    private final TreeMap<Long, Region> regions = new TreeMap<>();

    /** The same regions in order of their addresses, for kernels to search. */
    private volatile Region[] sorted = {};

    /**
     * Adds a region.
     *
     * @param address where it begins; not 0, below 2^56
     * @param initialised whether all its bytes may be read
     */
    public synchronized void map(long address, MemorySegment memory, boolean initialised) {
        long bytes = memory.byteSize();
        if (address <= 0 || address + bytes > AddressWindows.FIRST || bytes < 1) {
            throw new IllegalArgumentException(
                    "no region of " + bytes + " bytes can lie at 0x" + Long.toHexString(address));
        }
        Map.Entry<Long, Region> below = regions.lowerEntry(address + bytes);
        if (below != null && below.getValue().end() > address) {
            throw new IllegalArgumentException("a region of " + bytes + " bytes at 0x" + Long.toHexString(address)
                    + " overlaps " + below.getValue());
        }
        regions.put(address, new Region(address, memory, initialised));
        sorted = regions.values().toArray(Region[]::new);
    }

    /** Removes the region that begins at the address. */
    public synchronized void unmap(long address) {
        if (regions.remove(address) == null) {
            throw new IllegalArgumentException("no region begins at 0x" + Long.toHexString(address));
        }
        sorted = regions.values().toArray(Region[]::new);
    }

    /** Says that the host has written these bytes. */
    public void markInitialised(long address, long bytes) {
        Region region = at(address, bytes);
        region.markInitialised(address - region.start(), bytes);
    }

    /** Copies bytes within the device, and with them whether they are initialised. */
    public void copy(long from, long to, long bytes) {
        Region source = at(from, bytes);
        Region target = at(to, bytes);
        MemorySegment.copy(source.memory(), from - source.start(), target.memory(), to - target.start(), bytes);
        target.copyInitialised(to - target.start(), source, from - source.start(), bytes);
    }

    /** How many bytes of the range nobody has written. */
    public long uninitialisedBytes(long address, long bytes) {
        Region region = at(address, bytes);
        return region.uninitialisedBytes(address - region.start(), bytes);
    }

    /** The region that holds the byte, or nothing. */
    @Nullable
    Region find(long address) {
        Region[] all = sorted;
        int low = 0;
        int high = all.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Region region = all[middle];
            if (address < region.start()) {
                high = middle - 1;
            } else if (address >= region.end()) {
                low = middle + 1;
            } else {
                return region;
            }
        }
        return null;
    }

    private Region at(long address, long bytes) {
        Region region = find(address);
        if (region == null || bytes < 0 || bytes > region.end() - address) {
            throw new ObrException(bytes + " bytes at 0x" + Long.toHexString(address)
                    + " do not lie in one region of the device's memory; the regions are " + this);
        }
        return region;
    }

    @Override
    public String toString() {
        return Arrays.toString(sorted);
    }
}
