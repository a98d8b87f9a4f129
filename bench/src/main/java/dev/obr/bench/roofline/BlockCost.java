package dev.obr.bench.roofline;

import java.util.Optional;

/**
 * What a thread block does that takes some number of steps.
 *
 * @param fixed whatever the number of steps: beginning and end
 * @param step one more of them
 */
record BlockCost(Counts fixed, Counts step) {
    /** A count of a block of so many steps. */
    record Sample(int steps, Counts counts) {}

    /**
     * The line through two samples, or nothing where the third does not lie on it, too: then the kernel's cost is no such line, and nothing may be concluded from two.
     */
    static Optional<BlockCost> through(Sample first, Sample second, Sample third) {
        Counts step = second.counts.minus(first.counts).times(1.0 / (second.steps - first.steps));
        BlockCost cost = new BlockCost(first.counts.minus(step.times(first.steps)), step);
        return differ(cost.of(third.steps), third.counts) ? Optional.empty() : Optional.of(cost);
    }

    Counts of(double steps) {
        return fixed.plus(step.times(steps));
    }

    /** More than what halves and thirds of whole numbers are rounded by. */
    private static boolean differ(Counts a, Counts b) {
        Counts difference = a.minus(b);
        double most = Math.max(
                Math.max(Math.abs(difference.instructions()), Math.abs(difference.wavefronts())),
                Math.max(Math.abs(difference.loadedBytes()), Math.abs(difference.storedBytes())));
        for (double products : difference.products().values()) {
            most = Math.max(most, Math.abs(products));
        }
        return most > 1e-3;
    }
}
