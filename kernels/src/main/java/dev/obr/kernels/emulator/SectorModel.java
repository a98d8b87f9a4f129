package dev.obr.kernels.emulator;

/** How many 32-byte sectors of global memory a warp's access touches, and how many its distinct bytes would fill. */
final class SectorModel {
    private static final int SECTOR = 32;

    private final long[] seen = new long[Warp.LANES];
    private int sectors;
    private int ideal;

    int sectors() {
        return sectors;
    }

    int ideal() {
        return ideal;
    }

    /** Counts an aligned access of up to 32 bytes a lane. */
    void count(long[] addresses, int mask, int bytes) {
        sectors = distinct(addresses, mask, 5);
        ideal = (distinct(addresses, mask, 0) * bytes + SECTOR - 1) / SECTOR;
    }

    /** How many different values the addresses have without their low bits. */
    private int distinct(long[] addresses, int mask, int shift) {
        int count = 0;
        long before = Long.MIN_VALUE;
        boolean ascending = true;
        for (int m = mask; m != 0; m &= m - 1) {
            long value = addresses[Integer.numberOfTrailingZeros(m)] >> shift;
            if (value == before) {
                continue;
            }
            ascending &= value > before;
            before = value;
            if (ascending || !seen(value, count)) {
                seen[count++] = value;
            }
        }
        return count;
    }

    private boolean seen(long value, int count) {
        for (int i = 0; i < count; i++) {
            if (seen[i] == value) {
                return true;
            }
        }
        return false;
    }
}
