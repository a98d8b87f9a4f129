package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.PrincipalSystems;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Restores as {@link RowwiseRestoration} does, one factorisation a row, but on a device, many rows at once: while a batch is factored and solved, the matrices of the next one are gathered.
 *
 * <p>Rows go in the order of their number of kept columns, so that those of a batch are about alike. Rounding between the stages happens here, by the same quantiser.
 */
final class BatchedRestoration implements FactoredRows {
    private final DeviceAlgebra device;

    BatchedRestoration(DeviceAlgebra device) {
        this.device = device;
    }

    /** A row and its kept columns, R2 before E2. */
    private record Row(int index, int[] kept, int leading) {
        static Row of(int index, Mask mask, ColumnSplit split) {
            int first = split.firstColumn(mask, index);
            int[] kept = RowwiseRestoration.order(mask, index, first);
            int leading = 0;
            while (leading < kept.length && kept[leading] >= first) {
                leading++;
            }
            return new Row(index, kept, leading);
        }
    }

    @Override
    public List<Refused> restore(Matrix h, int[] rows, Layer layer) {
        List<Row> ordered = Arrays.stream(rows)
                .mapToObj(index -> Row.of(index, layer.mask(), layer.split()))
                .sorted(Comparator.comparingInt(row -> row.kept.length))
                .toList();
        if (ordered.isEmpty()) {
            return List.of();
        }
        Run run = new Run(layer);
        run.restore(h, ordered);
        return run.refused.stream()
                .sorted(Comparator.comparingInt(Refused::row))
                .toList();
    }

    /** One layer's. */
    private final class Run {
        private final Layer layer;
        private final List<Refused> refused = new ArrayList<>();

        Run(Layer layer) {
            this.layer = layer;
        }

        void restore(Matrix h, List<Row> rows) {
            try (PrincipalSystems systems = device.principalSystems(h)) {
                SystemBatches.run(systems, rows, Row::kept, 0, (batch, some) -> restore(batch, batch.factor(), some));
            }
        }

        /** @param orders of each system the leading block that has no factor; 0 where it has one */
        private void restore(PrincipalSystems.Batch batch, int[] orders, List<Row> rows) {
            int count = rows.size();
            float[][] b = new float[count][]; // H_RE w_E
            Arrays.setAll(b, i -> values(layer.pruned(), rows.get(i)));
            float[][] delta = batch.solve(b);
            float[][] moved = new float[count][];
            float[][] errors = new float[count][]; // e, zero in R2
            for (int i = 0; i < count; i++) {
                Row row = rows.get(i);
                moved[i] = values(layer.weight(), row);
                errors[i] = new float[row.kept.length];
                for (int j = 0; j < row.kept.length; j++) {
                    moved[i][j] += delta[i][j];
                    errors[i][j] = j < row.leading
                            ? 0
                            : moved[i][j] - layer.quantizer().round(row.index, row.kept[j], moved[i][j]);
                }
            }
            int[] leading = rows.stream().mapToInt(Row::leading).toArray();
            float[][] delta2 = batch.push(errors, leading);
            for (int i = 0; i < count; i++) {
                Row row = rows.get(i);
                if (orders[i] > 0) {
                    refused.add(new Refused(row.index, orders[i]));
                    continue; // its solutions mean nothing
                }
                for (int j = 0; j < row.kept.length; j++) {
                    layer.restored().set(row.index, row.kept[j], moved[i][j] + delta2[i][j]);
                }
            }
        }

        private static float[] values(Matrix matrix, Row row) {
            float[] values = new float[row.kept.length];
            for (int j = 0; j < values.length; j++) {
                values[j] = matrix.at(row.index, row.kept[j]);
            }
            return values;
        }
    }
}
