package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.PrincipalSystems;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Restores as {@link RowwiseRestoration} does, one factorisation a row, but on a device, many rows at once: while a batch is factored and solved, the matrices of the next one are gathered.
 *
 * <p>Rows go in the order of their number of kept columns, so that those of a batch are about alike. Rounding between the stages happens here, by the same quantiser.
 */
final class BatchedRestoration implements Restoration {
    private final DeviceAlgebra device;
    private final Matrix h;

    BatchedRestoration(DeviceAlgebra device, Matrix h) {
        this.device = device;
        this.h = h;
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
    public Matrix restore(Matrix weight, Matrix pruned, Mask mask, WeightQuantizer quantizer, ColumnSplit split) {
        Matrix restored = Matrix.zeros(weight.rows(), weight.cols());
        List<Row> rows = IntStream.range(0, weight.rows())
                .mapToObj(index -> Row.of(index, mask, split))
                .sorted(Comparator.comparingInt(row -> row.kept.length))
                .toList();
        for (Row row : rows) {
            if (row.kept.length == mask.cols()) {
                for (int col : row.kept) {
                    restored.set(row.index, col, weight.at(row.index, col));
                }
            }
        }
        List<Row> solved = rows.stream()
                .filter(row -> row.kept.length > 0 && row.kept.length < mask.cols())
                .toList();
        if (!solved.isEmpty()) {
            new Run(weight, pruned, quantizer, restored).restore(solved);
        }
        return restored;
    }

    @Override
    public @Nullable Certificate certificate() {
        return null;
    }

    /** One layer's. */
    private final class Run {
        private final Matrix weight;
        private final Matrix pruned;
        private final WeightQuantizer quantizer;
        private final Matrix restored;

        Run(Matrix weight, Matrix pruned, WeightQuantizer quantizer, Matrix restored) {
            this.weight = weight;
            this.pruned = pruned;
            this.quantizer = quantizer;
            this.restored = restored;
        }

        void restore(List<Row> rows) {
            try (PrincipalSystems systems = device.principalSystems(h)) {
                int size = systems.reserve(rows.getLast().kept.length, rows.size());
                PrincipalSystems.Batch next = begin(systems, batch(rows, 0, size));
                for (int from = 0; from < rows.size(); from += size) {
                    PrincipalSystems.Batch batch = next;
                    if (from + size < rows.size()) {
                        next = begin(systems, batch(rows, from + size, size));
                    }
                    batch.factor();
                    restore(batch, batch(rows, from, size));
                }
            }
        }

        private static List<Row> batch(List<Row> rows, int from, int size) {
            return rows.subList(from, Math.min(from + size, rows.size()));
        }

        private static PrincipalSystems.Batch begin(PrincipalSystems systems, List<Row> rows) {
            return systems.begin(rows.stream().map(Row::kept).toArray(int[][]::new));
        }

        private void restore(PrincipalSystems.Batch batch, List<Row> rows) {
            int count = rows.size();
            float[][] b = new float[count][]; // H_RE w_E
            Arrays.setAll(b, i -> values(pruned, rows.get(i)));
            float[][] delta = batch.solve(b);
            float[][] moved = new float[count][];
            float[][] errors = new float[count][]; // e, zero in R2
            for (int i = 0; i < count; i++) {
                Row row = rows.get(i);
                moved[i] = values(weight, row);
                errors[i] = new float[row.kept.length];
                for (int j = 0; j < row.kept.length; j++) {
                    moved[i][j] += delta[i][j];
                    errors[i][j] =
                            j < row.leading ? 0 : moved[i][j] - quantizer.round(row.index, row.kept[j], moved[i][j]);
                }
            }
            int[] leading = rows.stream().mapToInt(Row::leading).toArray();
            float[][] delta2 = batch.push(errors, leading);
            for (int i = 0; i < count; i++) {
                Row row = rows.get(i);
                for (int j = 0; j < row.kept.length; j++) {
                    restored.set(row.index, row.kept[j], moved[i][j] + delta2[i][j]);
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
