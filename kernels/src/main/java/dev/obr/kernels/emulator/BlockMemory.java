package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.MemoryOps.Space;

/** The memory that a thread block sees: each space by itself, or all of them in the generic address space. */
final class BlockMemory {
    private final GlobalAccess global;
    private final SharedMemory shared;
    private final byte[] parameters;

    BlockMemory(GlobalAccess global, SharedMemory shared, byte[] parameters) {
        this.global = global;
        this.shared = shared;
        this.parameters = parameters;
    }

    GlobalAccess global() {
        return global;
    }

    SharedMemory shared() {
        return shared;
    }

    void read(Warp warp, Request request, Space space) {
        request.checkAlignment();
        switch (space) {
            case GLOBAL -> global.read(warp, request);
            case SHARED -> shared.read(warp, request);
            case LOCAL -> warp.local.read(request);
            case PARAMETERS -> readParameters(request);
            case GENERIC -> generic(warp, request, false);
        }
    }

    void write(Warp warp, Request request, Space space) {
        request.checkAlignment();
        switch (space) {
            case GLOBAL -> global.write(warp, request);
            case SHARED -> shared.write(warp, request);
            case LOCAL -> warp.local.write(request);
            case PARAMETERS -> throw new Fault(-1, "parameters of a kernel cannot be stored to");
            case GENERIC -> generic(warp, request, true);
        }
    }

    /** Lanes of one window go together. */
    private void generic(Warp warp, Request request, boolean write) {
        int left = request.mask;
        while (left != 0) {
            long window = AddressWindows.of(request.addresses[Integer.numberOfTrailingZeros(left)]);
            Space space = space(window);
            int lanes = 0;
            for (int m = left; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                if (AddressWindows.of(request.addresses[lane]) == window) {
                    lanes |= 1 << lane;
                    request.addresses[lane] -= space == Space.GLOBAL ? 0 : window;
                }
            }
            request.mask = lanes;
            if (write) {
                write(warp, request, space);
            } else {
                read(warp, request, space);
            }
            left &= ~lanes;
        }
    }

    /** The space whose window begins at an address. */
    static Space space(long window) {
        if (window == AddressWindows.SHARED) {
            return Space.SHARED;
        }
        if (window == AddressWindows.LOCAL) {
            return Space.LOCAL;
        }
        return window == AddressWindows.PARAM ? Space.PARAMETERS : Space.GLOBAL;
    }

    private void readParameters(Request request) {
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            long address = request.addresses[lane];
            if (address < 0 || address > parameters.length - request.bytes()) {
                throw new Fault(
                        lane,
                        "the address 0x" + Long.toHexString(address) + " lies outside the kernel's " + parameters.length
                                + " bytes of parameters");
            }
            for (int e = 0; e < request.elements; e++) {
                request.data[Warp.LANES * e + lane] =
                        LocalMemory.get(parameters, (int) address + e * request.elementBytes, request.elementBytes);
            }
        }
    }
}
