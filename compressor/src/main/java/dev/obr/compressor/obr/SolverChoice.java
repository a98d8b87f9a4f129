package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.LinearAlgebra;
import java.util.Locale;

/**
 * Which solver a layer's rows are restored with, and what both are modelled to take.
 *
 * <pre>
 *   cholesky   rows · (k³ / 3 + 8 k²) / R_factor              k kept columns of C; the factor, and two refined solves
 *   pcg        rows · I · (2 C² / R_product + 70 C / B)        I products with H of both stages; on a device the vectors' bytes in between
 * </pre>
 *
 * <p>Layers of at most 2048 columns are always factored, which is exact. The rates are what machines of each kind reach about; only their ratio matters to the choice.
 *
 * @param solver never {@link Solver#AUTO}
 * @param note what was chosen from, for people; empty where there was no choice
 */
record SolverChoice(Solver solver, String note) {
    private static final int WIDEST_FACTORED = 2048;

    /** Products with H of both stages, restarts included: what layers of trained models took. */
    private static final int ITERATIONS = 32;

    /**
     * Flops and bytes a second.
     *
     * @param factor flops a second of many factorisations at once
     * @param product of a large product
     * @param vectors bytes of the passes over vectors between two products; infinite where these are counted in the product
     */
    record Rates(double factor, double product, double vectors) {
        /** Two cores with AVX-512. */
        static final Rates HOST = new Rates(60e9, 100e9, Double.POSITIVE_INFINITY);

        /** An A100 without TF32: 19.5 TFLOP/s of float32, of which products reach most, batched factors under half; 1.5 TB/s. */
        static final Rates DEVICE = new Rates(8e12, 15e12, 1.2e12);

        double cholesky(int rows, int kept) {
            return rows * (Math.pow(kept, 3) / 3 + 8.0 * kept * kept) / factor;
        }

        double pcg(int rows, int cols) {
            return (double) rows * ITERATIONS * (2.0 * cols * cols / product + 70.0 * cols / vectors);
        }
    }

    /**
     * Chooses for a layer.
     *
     * @param kept columns that a row keeps, on average
     */
    static SolverChoice of(Solver asked, int rows, int cols, int kept, LinearAlgebra algebra) {
        if (asked != Solver.AUTO) {
            return new SolverChoice(asked, "");
        }
        if (cols <= WIDEST_FACTORED) {
            return new SolverChoice(Solver.CHOLESKY, "");
        }
        Rates rates = algebra.device().isPresent() ? Rates.DEVICE : Rates.HOST;
        double factored = rates.cholesky(rows, kept);
        double iterated = rates.pcg(rows, cols);
        Solver solver = factored <= iterated ? Solver.CHOLESKY : Solver.PCG;
        return new SolverChoice(
                solver,
                String.format(
                        Locale.ROOT,
                        "solver %s: cholesky is modelled to take %.3g s, pcg %.3g s",
                        solver.name().toLowerCase(Locale.ROOT),
                        factored,
                        iterated));
    }
}
