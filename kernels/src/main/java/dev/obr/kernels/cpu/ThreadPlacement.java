package dev.obr.kernels.cpu;

/** Where the workers of a {@link ThreadTeam} run. */
@FunctionalInterface
public interface ThreadPlacement {
    /** Wherever the system puts them. */
    ThreadPlacement FREE = worker -> {};

    /**
     * Called by each worker before its first part; never fails.
     *
     * @param worker 1 .. threads-1
     */
    void place(int worker);
}
