package dev.obr.kernels.cpu;

/**
 * How the output rows of linear layers are handed out to a team of threads.
 *
 * @param rows of all of them
 * @param parts that they are cut into, each a multiple of {@link #GRAIN} but the last
 */
public record RowSplit(int rows, int parts) {
    /** The widest register tile of the kernels. */
    public static final int GRAIN = 16;

    /** Parts per thread in a long operation: a thread that is held up leaves the rest to the others, and few wait long for the last part. */
    private static final int PARTS_PER_THREAD = 4;

    /** From this many tokens on, a part has {@link #PREFILL_ROWS} rows or more where it can: each part packs all of x for itself. */
    private static final int PREFILL_TOKENS = 64;

    private static final int PREFILL_ROWS = 1024;

    /** Equally many parts for each thread, unless there are few rows. */
    public static RowSplit of(int rows, int tokens, int threads) {
        int grain = tokens < PREFILL_TOKENS ? GRAIN : PREFILL_ROWS;
        int perThread = Math.clamp(rows / ((long) grain * threads), 1, PARTS_PER_THREAD);
        return new RowSplit(rows, Math.min(perThread * threads, (rows + GRAIN - 1) / GRAIN));
    }

    /** The first row of a part. */
    public int from(int part) {
        return ThreadTeam.split(rows, GRAIN, parts, part);
    }

    /** The row behind its last. */
    public int to(int part) {
        return from(part + 1);
    }
}
