package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.PrincipalSystems;
import java.util.Comparator;
import java.util.List;

/**
 * Rounds along one factor a row as {@link SupportRounding} does, but on a device, many rows at once: all scales to the end, as none of them waits for another. Only the best codes of a row come back.
 */
final class BatchedRounding {
    private final DeviceAlgebra device;
    private final ScaleGrid grid;

    BatchedRounding(DeviceAlgebra device, ScaleGrid grid) {
        this.device = device;
        this.grid = grid;
    }

    /** A row and its kept columns, one or more, in the order of its factor. */
    record Row(int index, int[] kept) {}

    /** Takes what was found of a row. */
    interface Found {
        void accept(Row row, byte[] codes, int candidate);
    }

    /**
     * Rounds some rows.
     *
     * @param product W H [rows, cols]
     * @param base [rows], the scales that candidates are multiples of
     * @throws NotPositiveDefiniteException if a row's Hessian has no factor in float32
     */
    void round(Matrix h, Matrix product, float[] base, List<Row> rows, Found found) {
        List<Row> ordered = rows.stream()
                .sorted(Comparator.comparingInt(row -> row.kept.length))
                .toList();
        if (ordered.isEmpty()) {
            return;
        }
        try (PrincipalSystems systems = device.principalSystems(h)) {
            SystemBatches.run(
                    systems,
                    ordered,
                    Row::kept,
                    ScaleGrid.CANDIDATES,
                    (batch, some) -> round(batch, some, product, base, found));
        }
    }

    private void round(PrincipalSystems.Batch batch, List<Row> rows, Matrix product, float[] base, Found found) {
        for (int order : batch.factor()) {
            if (order > 0) {
                throw new NotPositiveDefiniteException(order);
            }
        }
        float[][] b = new float[rows.size()][]; // (W H)_P
        float[][] scales = new float[rows.size()][ScaleGrid.CANDIDATES];
        for (int i = 0; i < b.length; i++) {
            Row row = rows.get(i);
            b[i] = new float[row.kept.length];
            for (int j = 0; j < b[i].length; j++) {
                b[i][j] = product.at(row.index, row.kept[j]);
            }
            for (int candidate = 0; candidate < ScaleGrid.CANDIDATES; candidate++) {
                scales[i][candidate] = ScaleGrid.candidate(candidate, base[row.index]);
            }
        }
        List<PrincipalSystems.Rounded> rounded = batch.round(b, scales, grid.lowest(), grid.highest());
        for (int i = 0; i < b.length; i++) {
            found.accept(rows.get(i), rounded.get(i).codes(), rounded.get(i).candidate());
        }
    }
}
