package dev.obr.compressor.obr;

/** By how much a diagonal is raised, as a share of its mean, where a matrix turns out not to be positive definite. */
final class Damping {
    /** More than this would say nothing of the matrix. */
    static final double LARGEST = 10;

    private static final double FIRST_RAISED = 1e-3;

    private Damping() {}

    /** The next after {@code percdamp}. */
    static double raised(double percdamp) {
        return Math.max(10 * percdamp, FIRST_RAISED);
    }
}
