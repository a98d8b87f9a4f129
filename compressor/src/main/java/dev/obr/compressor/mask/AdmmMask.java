package dev.obr.compressor.mask;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.DeviceAlgebra;
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
        AdmmSchedule schedule = hessian.schedule();
        State state = new State(weight, hessian);
        state.pass(0, (float) schedule.rho(0), false);
        for (int level = 0; level < schedule.levels(); level++) {
            Matrix inverse = hessian.inverse(level);
            float rho = (float) schedule.rho(level);
            try (DeviceAlgebra.Held held = products.hold(inverse)) {
                for (int step = 1; step <= schedule.steps(); step++) {
                    state.solve(inverse);
                    boolean levelEnds = step == schedule.steps();
                    boolean allEnds = levelEnds && level + 1 == schedule.levels();
                    state.pass(rho, levelEnds && !allEnds ? (float) schedule.rho(level + 1) : rho, allEnds);
                }
            }
        }
        return state.mask;
    }

    /** All rows between two steps. */
    private final class State {
        private final int rows;
        private final int cols;
        private final Matrix solved; // Z0, at first Wn
        private final Matrix target; // WH
        private final Matrix dual; // V
        private final Matrix right; // WH + ρ D - V
        private final Mask mask;

        State(Matrix weight, AdmmHessian hessian) {
            rows = weight.rows();
            cols = weight.cols();
            solved = weight.copy();
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < cols; c++) {
                    solved.set(r, c, weight.at(r, c) * hessian.norm()[c]);
                }
            }
            target = products.multiply(solved, hessian.normalized());
            dual = Matrix.zeros(rows, cols);
            right = Matrix.zeros(rows, cols);
            mask = Mask.dense(rows, cols);
        }

        void solve(Matrix inverse) {
            products.multiply(rows, cols, cols, 1, Block.of(right), Block.of(inverse), 0, Block.of(solved));
        }

        /** Everything between two products; with {@code rho} 0 the duals stay zero. The last pass leaves the mask. */
        void pass(float rho, float next, boolean last) {
            team.run(Math.ceilDiv(rows, ROWS), part -> {
                Row row = new Row(cols);
                for (int r = part * ROWS; r < Math.min((part + 1) * ROWS, rows); r++) {
                    int at = r * cols;
                    row.load(solved.values(), dual.values(), target.values(), at);
                    row.step(rho, next);
                    if (last) {
                        row.storeMask(mask.kept(), at);
                    } else {
                        row.store(dual.values(), right.values(), at);
                    }
                }
            });
        }
    }

    /** One row: its arrays share their index, which lets the compiler make vectors of the loops. */
    private final class Row {
        private final int cols;
        private final RowSelection selection;
        private final float[] z0;
        private final float[] v;
        private final float[] wh; // afterwards the right-hand side
        private final float[] z;
        private final float[] kept;

        Row(int cols) {
            this.cols = cols;
            selection = new RowSelection(pattern, cols, sparsity);
            z0 = new float[cols];
            v = new float[cols];
            wh = new float[cols];
            z = new float[cols];
            kept = new float[cols];
        }

        void load(float[] solved, float[] dual, float[] target, int at) {
            System.arraycopy(solved, at, z0, 0, cols);
            System.arraycopy(dual, at, v, 0, cols);
            System.arraycopy(target, at, wh, 0, cols);
        }

        void step(float rho, float next) {
            float share = rho == 0 ? 0 : 1 / rho;
            for (int c = 0; c < cols; c++) {
                z[c] = z0[c] + v[c] * share;
            }
            selection.choose(z, kept);
            for (int c = 0; c < cols; c++) {
                float d = z[c] * kept[c];
                v[c] += rho * (z0[c] - d);
                wh[c] += next * d - v[c];
            }
        }

        void store(float[] dual, float[] right, int at) {
            System.arraycopy(v, 0, dual, at, cols);
            System.arraycopy(wh, 0, right, at, cols);
        }

        void storeMask(boolean[] mask, int at) {
            for (int c = 0; c < cols; c++) {
                mask[at + c] = kept[c] != 0;
            }
        }
    }
}
