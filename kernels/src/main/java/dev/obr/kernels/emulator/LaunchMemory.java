package dev.obr.kernels.emulator;

import org.jspecify.annotations.Nullable;

/** The global memory of one launch: the device's regions and the module's variables. */
final class LaunchMemory {
    private static final int LOCKS = 64;

    private final GlobalMemory memory;
    private final Region variables;
    private final GlobalRaces races = new GlobalRaces();
    private final Object[] locks = new Object[LOCKS];

    LaunchMemory(GlobalMemory memory, Region variables) {
        this.memory = memory;
        this.variables = variables;
        for (int i = 0; i < LOCKS; i++) {
            locks[i] = new Object();
        }
    }

    GlobalMemory memory() {
        return memory;
    }

    Region variables() {
        return variables;
    }

    GlobalRaces races() {
        return races;
    }

    @Nullable
    Region find(long address) {
        if (AddressWindows.of(address) == 0) {
            return memory.find(address);
        }
        return address >= variables.start() && address < variables.end() ? variables : null;
    }

    /** What atomic updates of the 8 bytes around an address hold. */
    Object lock(long address) {
        return locks[(int) (address >> 3) & LOCKS - 1];
    }
}
