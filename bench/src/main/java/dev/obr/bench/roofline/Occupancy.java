package dev.obr.bench.roofline;

/** How many blocks of a kernel a multiprocessor holds at once. */
final class Occupancy {
    private static final int REGISTERS = 65536; // of a multiprocessor, 4 bytes each
    private static final int REGISTER_UNIT = 256; // of a warp
    private static final int RESERVED_SHARED_BYTES = 1024; // of each block, for the system
    private static final int SHARED_UNIT = 128;
    private static final int LANES = 32;

    private Occupancy() {}

    /**
     * @param threads of a block
     * @param registers of a thread
     * @param sharedBytes of a block, static and dynamic
     * @return at least 1: a kernel that does not fit would not have been launched
     */
    static int resident(Gpu gpu, int threads, int registers, int sharedBytes) {
        int warps = Math.ceilDiv(threads, LANES);
        int warpRegisters = Math.ceilDiv(registers * LANES, REGISTER_UNIT) * REGISTER_UNIT;
        int byRegisters = REGISTERS / 4 / warpRegisters * 4 / warps; // a quarter of the warps by each scheduler
        int shared = Math.ceilDiv(sharedBytes + RESERVED_SHARED_BYTES, SHARED_UNIT) * SHARED_UNIT;
        int byShared = (gpu.sharedKilobytes() << 10) / shared;
        int byThreads = gpu.mostThreads() / (warps * LANES);
        return Math.max(1, Math.min(Math.min(byRegisters, byShared), Math.min(byThreads, gpu.mostBlocks())));
    }
}
