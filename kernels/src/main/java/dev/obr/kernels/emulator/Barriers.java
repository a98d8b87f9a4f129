package dev.obr.kernels.emulator;

import org.jspecify.annotations.Nullable;

/** The 16 barriers of a thread block. A warp arrives as a whole; without a number of threads all warps that have not ended must arrive. */
final class Barriers {
    private static final int COUNT = 16;

    /** What a warp that waited gets at the end of a bar.red. */
    interface Result {
        /** @param holds in how many threads the predicate held, of how many that arrived */
        void set(Warp warp, int holds, int threads);
    }

    private static final class Barrier {
        private int arrived;
        private int threads;
        private int holds;
        private int voters;
        /** Bit w: warp w waits. */
        private int waiting;

        private int[] clock;
        private final @Nullable Result[] results;

        Barrier(int warps) {
            clock = new int[warps];
            results = new Result[warps];
        }
    }

    private final ThreadBlock block;
    private final Barrier[] barriers = new Barrier[COUNT];

    Barriers(ThreadBlock block, int warps) {
        this.block = block;
        for (int i = 0; i < COUNT; i++) {
            barriers[i] = new Barrier(warps);
        }
    }

    void reset(int warps) {
        for (int i = 0; i < COUNT; i++) {
            barriers[i] = new Barrier(warps);
        }
    }

    /**
     * A warp arrives.
     *
     * @param threads that must arrive, 0 for all
     * @param waits whether it waits there
     * @param votes the lanes whose predicate holds
     * @param result what it gets; nothing unless it is a bar.red
     */
    void arrive(Warp warp, int id, int threads, boolean waits, int votes, @Nullable Result result) {
        if (id < 0 || id >= COUNT) {
            throw new Fault(-1, "there are barriers 0 to " + (COUNT - 1) + ", not " + id);
        }
        if (threads < 0 || threads % Warp.LANES != 0 || threads > block.warps() * Warp.LANES) {
            throw new Fault(-1, "a barrier is for a multiple of 32 threads of the block's, not " + threads);
        }
        Barrier barrier = barriers[id];
        if (barrier.arrived > 0 && barrier.threads != threads) {
            throw new Fault(
                    -1,
                    "barrier " + id + " is waited for with " + (barrier.threads == 0 ? "all" : barrier.threads)
                            + " threads and with " + (threads == 0 ? "all" : threads));
        }
        barrier.threads = threads;
        barrier.arrived++;
        barrier.holds += Integer.bitCount(votes & warp.live);
        barrier.voters += Integer.bitCount(warp.live);
        block.memory().shared().order().arrive(warp.index, barrier.clock);
        if (waits) {
            barrier.waiting |= 1 << warp.index;
            barrier.results[warp.index] = result;
            warp.state = Warp.State.AT_BARRIER;
        }
        complete(barrier);
    }

    /** A warp has ended: barriers of all threads wait for one less. */
    void exited() {
        for (Barrier barrier : barriers) {
            if (barrier.arrived > 0 && barrier.threads == 0) {
                complete(barrier);
            }
        }
    }

    private void complete(Barrier barrier) {
        boolean full = barrier.threads == 0
                ? barrier.arrived >= block.liveWarps()
                : barrier.arrived * Warp.LANES >= barrier.threads;
        if (!full) {
            return;
        }
        for (int m = barrier.waiting; m != 0; m &= m - 1) {
            Warp warp = block.warp(Integer.numberOfTrailingZeros(m));
            block.memory().shared().order().leave(warp.index, barrier.clock);
            Result result = barrier.results[warp.index];
            if (result != null) {
                result.set(warp, barrier.holds, barrier.voters);
            }
            warp.state = Warp.State.READY;
        }
        barrier.arrived = 0;
        barrier.holds = 0;
        barrier.voters = 0;
        barrier.waiting = 0;
        barrier.clock = new int[barrier.clock.length];
    }

    /** At which barrier a warp waits, -1 without one. */
    int of(Warp warp) {
        for (int i = 0; i < COUNT; i++) {
            if ((barriers[i].waiting >>> warp.index & 1) != 0) {
                return i;
            }
        }
        return -1;
    }
}
