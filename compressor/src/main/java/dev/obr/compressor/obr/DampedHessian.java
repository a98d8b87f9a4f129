package dev.obr.compressor.obr;

import dev.obr.compressor.mask.AdmmHessian;
import dev.obr.compressor.mask.AdmmSchedule;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.InverseFactor;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import org.jspecify.annotations.Nullable;

/** The Hessian that everything is computed with: columns that never saw an input have a 1 on the diagonal, and every diagonal element is raised. */
final class DampedHessian {
    private final Matrix h;
    private final boolean[] dead;
    private final double percdamp;
    private final double damp;
    private @Nullable Matrix upper;
    private @Nullable AdmmHessian penalised;

    private DampedHessian(Matrix h, boolean[] dead, double percdamp, double damp) {
        this.h = h;
        this.dead = dead;
        this.percdamp = percdamp;
        this.damp = damp;
    }

    /** A damped copy of {@code hessian}, by {@code percdamp} of its mean diagonal (that of dead columns counted as 1). */
    static DampedHessian of(Matrix hessian, double percdamp) {
        Matrix h = hessian.copy();
        boolean[] dead = new boolean[h.cols()];
        double sum = 0;
        for (int c = 0; c < dead.length; c++) {
            dead[c] = h.at(c, c) == 0;
            if (dead[c]) {
                h.set(c, c, 1);
            }
            sum += h.at(c, c);
        }
        double damp = percdamp * sum / Math.max(dead.length, 1);
        for (int c = 0; c < dead.length; c++) {
            h.set(c, c, (float) (h.at(c, c) + damp));
        }
        return new DampedHessian(h, dead, percdamp, damp);
    }

    /** H [cols, cols], symmetric. */
    Matrix matrix() {
        return h;
    }

    double percdamp() {
        return percdamp;
    }

    /** What was added to each element of the diagonal: no eigenvalue is smaller. */
    double damp() {
        return damp;
    }

    /** A copy of {@code weight} whose dead columns are zero. */
    Matrix withoutDeadColumns(Matrix weight) {
        Matrix copy = weight.copy();
        for (int c = 0; c < dead.length; c++) {
            if (dead[c]) {
                for (int r = 0; r < copy.rows(); r++) {
                    copy.set(r, c, 0);
                }
            }
        }
        return copy;
    }

    /** U with H⁻¹ = Uᵀ U, computed once. */
    Matrix upper(LinearAlgebra algebra, ThreadTeam team) {
        if (upper == null) {
            upper = InverseFactor.upper(algebra, team, h);
        }
        return upper;
    }

    /** What the mask search needs of H, kept until another schedule is asked for. */
    AdmmHessian penalised(LinearAlgebra algebra, ThreadTeam team, AdmmSchedule schedule) {
        AdmmHessian kept = penalised;
        if (kept == null || !kept.schedule().equals(schedule)) {
            penalised = null; // one of two can be let go before the other is made
            kept = new AdmmHessian(algebra, team, schedule, h);
            penalised = kept;
        }
        return kept;
    }
}
