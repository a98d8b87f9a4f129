package dev.obr.bench.roofline;

/**
 * A launch's work: blocks that all do the same.
 *
 * @param kernel entry of the module
 * @param blocks of the grid
 * @param threads of a block
 * @param registers of a thread
 * @param sharedBytes of a block
 * @param fixed what a block does at its beginning and its end
 * @param steps what it does between them, on average
 * @param dramBytes of the launch: each operand and result once
 * @param operations as of dense weights
 */
record Work(
        String kernel,
        long blocks,
        int threads,
        int registers,
        int sharedBytes,
        Counts fixed,
        Counts steps,
        double dramBytes,
        double operations) {
    /** Of one block. */
    Counts block() {
        return fixed.plus(steps);
    }
}
