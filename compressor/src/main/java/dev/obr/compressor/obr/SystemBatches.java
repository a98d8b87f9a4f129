package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.PrincipalSystems;
import java.util.List;
import java.util.function.Function;

/** Rows in batches as large as a device's memory: while one is computed, the matrices of the next are gathered. Rows should come by their number of unknowns, so that those of a batch are about alike. */
final class SystemBatches {
    private SystemBatches() {}

    /** What is done with the rows of a batch. */
    interface Step<R> {
        void run(PrincipalSystems.Batch batch, List<R> rows);
    }

    /**
     * Runs {@code step} for each batch.
     *
     * @param rows one or more; the last has the most unknowns
     * @param unknowns of a row, one or more
     * @param candidates scales that a row is rounded with, 0 where none is
     */
    static <R> void run(
            PrincipalSystems systems, List<R> rows, Function<R, int[]> unknowns, int candidates, Step<R> step) {
        int size = systems.reserve(unknowns.apply(rows.getLast()).length, rows.size(), candidates);
        PrincipalSystems.Batch next = begin(systems, batch(rows, 0, size), unknowns);
        for (int from = 0; from < rows.size(); from += size) {
            PrincipalSystems.Batch batch = next;
            if (from + size < rows.size()) {
                next = begin(systems, batch(rows, from + size, size), unknowns);
            }
            step.run(batch, batch(rows, from, size));
        }
    }

    private static <R> List<R> batch(List<R> rows, int from, int size) {
        return rows.subList(from, Math.min(from + size, rows.size()));
    }

    private static <R> PrincipalSystems.Batch begin(
            PrincipalSystems systems, List<R> rows, Function<R, int[]> unknowns) {
        return systems.begin(rows.stream().map(unknowns).toArray(int[][]::new));
    }
}
