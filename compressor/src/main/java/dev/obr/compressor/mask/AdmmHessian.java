package dev.obr.compressor.mask;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.SymmetricInverse;
import org.jspecify.annotations.Nullable;

/**
 * A Hessian as {@link AdmmMask} needs it: scaled to a unit diagonal, and inverted once for each penalty. Linear layers of one input share it. For one thread.
 *
 * <pre>
 *   e = sqrt(diag H),   Hn = H / (e eᵀ),   A(ρ) = (Hn + ρ I)⁻¹
 * </pre>
 */
public final class AdmmHessian {
    /** Inverses of all levels are kept up to this size; larger ones are computed for each layer anew. */
    private static final long KEPT_BYTES = 512L << 20;

    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final AdmmSchedule schedule;
    private final float[] norm;
    private final Matrix normalized;
    private final @Nullable Matrix[] inverses;

    /** @param hessian H [cols, cols], positive definite: a damped one */
    public AdmmHessian(LinearAlgebra algebra, ThreadTeam team, AdmmSchedule schedule, Matrix hessian) {
        this.algebra = algebra;
        this.team = team;
        this.schedule = schedule;
        int cols = hessian.cols();
        norm = new float[cols];
        for (int c = 0; c < cols; c++) {
            norm[c] = (float) Math.sqrt(hessian.at(c, c));
        }
        normalized = Matrix.zeros(cols, cols);
        for (int r = 0; r < cols; r++) {
            for (int c = 0; c < cols; c++) {
                normalized.set(r, c, r == c ? 1 : hessian.at(r, c) / norm[r] / norm[c]);
            }
        }
        boolean kept = 4L * cols * cols * schedule.levels() <= KEPT_BYTES;
        inverses = new @Nullable Matrix[kept ? schedule.levels() : 0];
    }

    public AdmmSchedule schedule() {
        return schedule;
    }

    /** e [cols]. */
    float[] norm() {
        return norm;
    }

    /** Hn [cols, cols]. */
    Matrix normalized() {
        return normalized;
    }

    /** A(ρ) [cols, cols] of a level's penalty. */
    Matrix inverse(int level) {
        Matrix known = level < inverses.length ? inverses[level] : null;
        if (known != null) {
            return known;
        }
        Matrix raised = normalized.copy();
        for (int c = 0; c < raised.cols(); c++) {
            raised.set(c, c, (float) (1 + schedule.rho(level)));
        }
        Matrix inverse = SymmetricInverse.of(algebra, team, raised);
        if (level < inverses.length) {
            inverses[level] = inverse;
        }
        return inverse;
    }
}
