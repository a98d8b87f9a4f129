package dev.obr.kernels.cpu;

/** Where the workers of a {@link ThreadTeam} run. */
@FunctionalInterface
public interface ThreadPlacement {
    /** Wherever the system puts them. */
    ThreadPlacement FREE = worker -> {};

    /**
     * On a processor each, or {@link #FREE}.
     *
     * @throws dev.obr.kernels.ObrException where {@code pinned} and the system holds no threads
     */
    static ThreadPlacement of(boolean pinned) {
        return pinned ? PinnedThreads.open() : FREE;
    }

    /**
     * Called by each worker before its first part; never fails.
     *
     * @param worker 1 .. threads-1
     */
    void place(int worker);
}
