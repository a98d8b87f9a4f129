package dev.obr.compressor.mask;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;

/**
 * Chooses what is pruned together with how the rest makes up for it, by the alternating direction method of multipliers: Z minimises the layer's loss, D is its nearest weight that the
 * pattern allows, and a growing penalty pulls them together (as ALPS does, arXiv 2406.07831).
 *
 * <pre>
 *   Wn = W e,  WH = Wn Hn;   M = keep(Wn²),  D = Wn ∘ M,  V = 0           e, Hn, A: {@link AdmmHessian}
 *   for each level ρ, A = (Hn + ρ I)⁻¹;  for each of its steps:
 *       Z0 = (WH + ρ D - V) A                                            one product [rows, cols] · [cols, cols]
 *       Z  = Z0 + V/ρ,  M = keep(Z²),  D = Z ∘ M,  V += ρ (Z0 - D)        one pass along each row
 * </pre>
 *
 * <p>In units of e a weight's square is what pruning it alone would cost. Rows do not depend on each other.
 */
public final class AdmmMask {
    /** Rows that a thread takes at once. */
    private static final int ROWS = 8;

    private final TiledProducts products;
    private final ThreadTeam team;
    private final Pattern pattern;
    private final double sparsity;

    /** @param sparsity share of each row that is pruned, in [0, 1); only {@link Pattern#UNSTRUCTURED} asks for it */
    public AdmmMask(TiledProducts products, ThreadTeam team, Pattern pattern, double sparsity) {
        this.products = products;
        this.team = team;
        this.pattern = pattern;
        this.sparsity = sparsity;
    }

    /**
     * The mask [rows, cols] for {@code weight} [rows, cols].
     *
     * @throws dev.obr.kernels.linalg.NotPositiveDefiniteException if the Hessian is not, even with the first penalty
     */
    public Mask choose(Matrix weight, AdmmHessian hessian) {
        int rows = weight.rows();
        int cols = weight.cols();
        AdmmSchedule schedule = hessian.schedule();
        Matrix scaled = weight.copy(); // Wn
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                scaled.set(r, c, weight.at(r, c) * hessian.norm()[c]);
            }
        }
        Matrix target = products.multiply(scaled, hessian.normalized()); // WH
        Matrix dual = Matrix.zeros(rows, cols); // V
        Matrix right = Matrix.zeros(rows, cols); // WH + ρ D - V
        Mask mask = Mask.dense(rows, cols);
        pass(scaled, dual, target, right, 1, 0, (float) schedule.rho(0), mask);
        for (int level = 0; level < schedule.levels(); level++) {
            Matrix inverse = hessian.inverse(level);
            float rho = (float) schedule.rho(level);
            for (int step = 1; step <= schedule.steps(); step++) {
                products.multiply(rows, cols, cols, 1, Block.of(right), Block.of(inverse), 0, Block.of(scaled)); // Z0
                boolean lastOfLevel = step == schedule.steps() && level + 1 < schedule.levels();
                float next = lastOfLevel ? (float) schedule.rho(level + 1) : rho;
                pass(scaled, dual, target, right, 1 / rho, rho, next, mask);
            }
        }
        return mask;
    }

    /** Everything between two products. With {@code rho} 0 the duals stay as they are. */
    private void pass(
            Matrix solved, Matrix dual, Matrix target, Matrix right, float inverse, float rho, float next, Mask mask) {
        int rows = solved.rows();
        int cols = solved.cols();
        team.run(Math.ceilDiv(rows, ROWS), part -> {
            RowSelection selection = new RowSelection(pattern, cols, sparsity);
            float[] z0 =
                    new float[cols]; // one index for all arrays, so that the compiler can make vectors of the loops
            float[] v = new float[cols];
            float[] wh = new float[cols];
            float[] z = new float[cols];
            float[] kept = new float[cols];
            for (int row = part * ROWS; row < Math.min((part + 1) * ROWS, rows); row++) {
                int at = row * cols;
                System.arraycopy(solved.values(), at, z0, 0, cols);
                System.arraycopy(dual.values(), at, v, 0, cols);
                System.arraycopy(target.values(), at, wh, 0, cols);
                for (int c = 0; c < cols; c++) {
                    z[c] = z0[c] + v[c] * inverse;
                }
                selection.choose(z, kept);
                for (int c = 0; c < cols; c++) {
                    float d = z[c] * kept[c];
                    v[c] += rho * (z0[c] - d);
                    wh[c] += next * d - v[c];
                }
                System.arraycopy(v, 0, dual.values(), at, cols);
                System.arraycopy(wh, 0, right.values(), at, cols);
                for (int c = 0; c < cols; c++) {
                    mask.kept()[at + c] = kept[c] != 0;
                }
            }
        });
    }
}
