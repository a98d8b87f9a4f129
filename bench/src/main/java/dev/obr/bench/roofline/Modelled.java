package dev.obr.bench.roofline;

/**
 * One launch as modelled: amounts are of the whole launch, counted by the emulator and scaled to its grid.
 *
 * @param kernel entry of the module
 * @param blocks of the grid
 * @param resident blocks that a multiprocessor holds at once
 * @param inTurn blocks that the busiest multiprocessor makes, one after another or at once
 * @param seconds that it takes
 * @param bound what it waits for
 * @param operations multiplications and additions as of dense weights: 2 · tokens · features · columns; 0 where it is no product
 * @param dramBytes each operand and result once
 * @param l2Bytes between L2 and multiprocessors, both ways
 * @param wavefronts of shared memory
 * @param tensorCycles of one of a multiprocessor's four tensor cores, summed
 * @param instructions of warps
 * @param utilisation of the multiprocessors by whole blocks: blocks / (inTurn · multiprocessors)
 */
public record Modelled(
        String kernel,
        long blocks,
        int resident,
        long inTurn,
        double seconds,
        Bound bound,
        double operations,
        double dramBytes,
        double l2Bytes,
        double wavefronts,
        double tensorCycles,
        double instructions,
        double utilisation) {
    /** 10^12 operations a second, as of dense weights. */
    public double tera() {
        return operations / seconds / 1e12;
    }
}
