package dev.obr.compressor.obr;

import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;

/**
 * Restores what rounding alone takes away, of a dense weight: the later columns take the rounding error of the earlier ones. All rows share one factor.
 *
 * <pre>
 *   e = w_E2 - round(w_E2),   w'_R2 = w_R2 + H_R2R2⁻¹ H_R2E2 e,     E2 the columns before t, R2 those from t on
 * </pre>
 */
final class RoundingRestoration {
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final Matrix h;

    RoundingRestoration(LinearAlgebra algebra, ThreadTeam team, Matrix h) {
        this.algebra = algebra;
        this.team = team;
        this.h = h;
    }

    /** The restored weights [rows, cols]; columns before {@code t = trunc(cols · alpha)} are as they were. */
    Matrix restore(Matrix weight, WeightQuantizer quantizer, double alpha) {
        int rows = weight.rows();
        int cols = weight.cols();
        int t = (int) (cols * alpha);
        int later = cols - t;
        Matrix restored = weight.copy();
        if (t == 0 || later == 0) {
            return restored;
        }
        Matrix errors = Matrix.zeros(rows, t);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < t; c++) {
                errors.set(r, c, weight.at(r, c) - quantizer.round(r, c, weight.at(r, c)));
            }
        }
        Matrix moved = Matrix.zeros(rows, later); // e H_E2R2
        new TiledProducts(algebra, team)
                .multiply(rows, later, t, 1, Block.of(errors), Block.at(h, 0, t), 0, Block.of(moved));
        Matrix factor = Matrix.zeros(later, later);
        for (int i = 0; i < later; i++) {
            System.arraycopy(h.values(), (t + i) * cols + t, factor.values(), i * later, later);
        }
        algebra.cholesky(later, Block.of(factor));
        team.run(rows, row -> {
            float[] delta = new float[later];
            System.arraycopy(moved.values(), row * later, delta, 0, later);
            algebra.solveFactored(later, Block.of(factor), delta);
            for (int i = 0; i < later; i++) {
                restored.values()[row * cols + t + i] += delta[i];
            }
        });
        return restored;
    }
}
