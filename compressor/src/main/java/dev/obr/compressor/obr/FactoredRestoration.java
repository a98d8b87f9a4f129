package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Restores with a factor a row. Rows whose matrix has none in float32 are restored again, they alone, with a damping ten times as large, until all have one; where no row has one it is the layer
 * that needs it.
 */
final class FactoredRestoration implements Restoration {
    /** Rows that a note names. */
    private static final int NAMED = 5;

    private final FactoredRows rows;
    private final DampedHessian hessian;
    private final List<String> notes = new ArrayList<>();

    FactoredRestoration(FactoredRows rows, DampedHessian hessian) {
        this.rows = rows;
        this.hessian = hessian;
    }

    @Override
    public Matrix restore(Matrix weight, Matrix pruned, Mask mask, WeightQuantizer quantizer, ColumnSplit split) {
        Matrix restored = Matrix.zeros(weight.rows(), weight.cols());
        for (int row = 0; row < weight.rows(); row++) {
            if (mask.keptInRow(row) == mask.cols()) {
                System.arraycopy(weight.values(), row * mask.cols(), restored.values(), row * mask.cols(), mask.cols());
            }
        }
        int[] partial = IntStream.range(0, weight.rows())
                .filter(row -> mask.keptInRow(row) > 0 && mask.keptInRow(row) < mask.cols())
                .toArray();
        FactoredRows.Layer layer = new FactoredRows.Layer(weight, pruned, mask, quantizer, split, restored);
        List<FactoredRows.Refused> refused = rows.restore(hessian.matrix(), partial, layer);
        if (!refused.isEmpty() && refused.size() == partial.length) {
            throw new NotPositiveDefiniteException(refused.getFirst().order());
        }
        double percdamp = hessian.percdamp();
        while (!refused.isEmpty()) {
            double raised = Damping.raised(percdamp);
            if (raised > Damping.LARGEST) {
                throw new NotPositiveDefiniteException(refused.getFirst().order());
            }
            int[] again = refused.stream().mapToInt(FactoredRows.Refused::row).toArray();
            notes.add(note(again, partial.length, percdamp, raised));
            percdamp = raised;
            refused = rows.restore(hessian.raised(percdamp), again, layer);
        }
        return restored;
    }

    private static String note(int[] rows, int all, double percdamp, double raised) {
        String named = Arrays.stream(rows, 0, Math.min(rows.length, NAMED))
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
        return "percdamp raised from " + percdamp + " to " + raised + " for " + rows.length + " of " + all + " rows ("
                + named + (rows.length > NAMED ? ", .." : "")
                + "): the Hessian of what they keep is not positive definite";
    }

    @Override
    public @Nullable Certificate certificate() {
        return null;
    }

    @Override
    public List<String> notes() {
        return notes;
    }
}
