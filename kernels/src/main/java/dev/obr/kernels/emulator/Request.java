package dev.obr.kernels.emulator;

/** One access of a warp to memory: for each lane an address, and there some elements side by side. Element e of lane l lies at {@code data[32 e + l]}, zero-extended. */
final class Request {
    static final int MOST_ELEMENTS = 8;

    final long[] addresses = new long[Warp.LANES];
    final long[] data = new long[MOST_ELEMENTS * Warp.LANES];
    /** The lanes that take part. */
    int mask;
    /** Of one element: 1, 2, 4 or 8. */
    int elementBytes;

    int elements;
    /** Whether it is ordered by itself (volatile, relaxed, acquire), so that it races with no other such. */
    boolean synchronising;

    /** Of one lane. */
    int bytes() {
        return elementBytes * elements;
    }

    void set(int lanes, int bytesOfElement, int count, boolean synchronises) {
        mask = lanes;
        elementBytes = bytesOfElement;
        elements = count;
        synchronising = synchronises;
    }

    /** Addresses that are no multiple of the size of the access are an error. */
    void checkAlignment() {
        int low = bytes() - 1;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            if ((addresses[lane] & low) != 0) {
                throw new Fault(
                        lane,
                        "the address 0x" + Long.toHexString(addresses[lane]) + " of " + bytes()
                                + " bytes is misaligned");
            }
        }
    }

    /** Two lanes that store different values to one address in the same instruction race. */
    void checkStores() {
        long before = Long.MIN_VALUE;
        boolean ascending = true;
        for (int m = mask; m != 0 && ascending; m &= m - 1) {
            long address = addresses[Integer.numberOfTrailingZeros(m)];
            ascending = address > before;
            before = address;
        }
        for (int m = mask; m != 0 && !ascending; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            for (int n = m & (m - 1); n != 0; n &= n - 1) {
                int other = Integer.numberOfTrailingZeros(n);
                if (addresses[lane] == addresses[other] && differs(lane, other)) {
                    throw new Fault(
                            lane,
                            "lanes " + lane + " and " + other + " store different values to the address 0x"
                                    + Long.toHexString(addresses[lane]));
                }
            }
        }
    }

    private boolean differs(int lane, int other) {
        for (int e = 0; e < elements; e++) {
            if (data[Warp.LANES * e + lane] != data[Warp.LANES * e + other]) {
                return true;
            }
        }
        return false;
    }
}
