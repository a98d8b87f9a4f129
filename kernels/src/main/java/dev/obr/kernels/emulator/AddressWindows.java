package dev.obr.kernels.emulator;

/** Where the generic address space shows the other spaces: each lies at its own base, everything below is global memory. */
final class AddressWindows {
    /** No region of global memory reaches here. */
    static final long FIRST = 1L << 56;

    /** Variables of the module: initialised .global and .const arrays. */
    static final long MODULE = FIRST;

    static final long SHARED = 2L << 56;
    static final long LOCAL = 3L << 56;
    static final long PARAM = 4L << 56;

    /** The base of the window that holds an address; 0 for global memory. */
    static long of(long address) {
        return address & -FIRST;
    }

    private AddressWindows() {}
}
