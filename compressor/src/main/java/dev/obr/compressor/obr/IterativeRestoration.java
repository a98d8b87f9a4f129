package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import org.jspecify.annotations.Nullable;

/**
 * Restores all rows together by conjugate gradients: every iteration is one product with H instead of a factorisation a row, which pays in wide layers. Both stages end when the loss is
 * certified to be close to the exact one.
 */
final class IterativeRestoration implements Restoration {
    private final TiledProducts products;
    private final DampedHessian hessian;
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private double excess;
    private double reference;
    private int iterations;

    IterativeRestoration(LinearAlgebra algebra, ThreadTeam team, DampedHessian hessian) {
        this.products = new TiledProducts(algebra, team);
        this.hessian = hessian;
        this.algebra = algebra;
        this.team = team;
    }

    @Override
    public Matrix restore(Matrix weight, Matrix pruned, Mask mask, WeightQuantizer quantizer, ColumnSplit split) {
        try (DeviceAlgebra.Held held = products.hold(hessian.matrix());
                BatchedConjugateGradients solver =
                        new BatchedConjugateGradients(algebra, team, hessian.matrix(), hessian.damp())) {
            return restore(solver, weight, pruned, mask, quantizer, split);
        }
    }

    private Matrix restore(
            BatchedConjugateGradients solver,
            Matrix weight,
            Matrix pruned,
            Mask mask,
            WeightQuantizer quantizer,
            ColumnSplit split) {
        int rows = weight.rows();
        int cols = weight.cols();
        boolean[] unknown = new boolean[rows * cols]; // R, in rows that take part
        double[] constant = new double[rows]; // ½ w_E H_EE w_E: the loss if nothing were restored
        for (int r = 0; r < rows; r++) {
            int kept = mask.keptInRow(r);
            boolean takesPart = kept > 0 && kept < cols;
            for (int c = 0; c < cols; c++) {
                unknown[r * cols + c] = takesPart && mask.keeps(r, c);
                if (!mask.keeps(r, c)) {
                    constant[r] += 0.5 * weight.at(r, c) * pruned.at(r, c);
                }
            }
        }
        Matrix moved = solve(solver, pruned, unknown, constant); // δ, then w' = w + δ
        Matrix errors = Matrix.zeros(rows, cols); // e in E2
        for (int r = 0; r < rows; r++) {
            int first = split.firstColumn(mask, r);
            for (int c = 0; c < cols; c++) {
                int at = r * cols + c;
                if (!mask.keeps(r, c)) {
                    continue;
                }
                moved.values()[at] += weight.values()[at];
                if (unknown[at] && c < first) {
                    unknown[at] = false; // what remains is R2
                    errors.values()[at] = moved.values()[at] - quantizer.round(r, c, moved.values()[at]);
                }
            }
        }
        Matrix pushed = products.multiply(errors, hessian.matrix());
        for (int r = 0; r < rows; r++) {
            constant[r] = 0; // ½ e H e
            for (int c = 0; c < cols; c++) {
                constant[r] += 0.5 * errors.at(r, c) * pushed.at(r, c);
            }
        }
        Matrix second = solve(solver, pushed, unknown, constant);
        for (int i = 0; i < moved.values().length; i++) {
            moved.values()[i] += second.values()[i];
        }
        return moved;
    }

    private Matrix solve(BatchedConjugateGradients solver, Matrix b, boolean[] unknown, double[] constant) {
        BatchedConjugateGradients.Solution solution = solver.solve(b, unknown, constant);
        excess += solution.excess();
        reference += solution.leastLoss();
        iterations += solution.iterations();
        return solution.x();
    }

    @Override
    public @Nullable Certificate certificate() {
        return new Certificate(reference > 0 ? excess / reference : 0, iterations);
    }
}
