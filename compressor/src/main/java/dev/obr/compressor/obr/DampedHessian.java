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
    private final double mean; // of the diagonal before
    private @Nullable Matrix upper;
    private @Nullable AdmmHessian penalised;

    private DampedHessian(Matrix h, boolean[] dead, double percdamp, double mean) {
        this.h = h;
        this.dead = dead;
        this.percdamp = percdamp;
        this.damp = percdamp * mean;
        this.mean = mean;
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
        DampedHessian damped = new DampedHessian(h, dead, percdamp, sum / Math.max(dead.length, 1));
        raise(h, damped.damp);
        return damped;
    }

    private static void raise(Matrix h, double damp) {
        for (int c = 0; c < h.cols(); c++) {
            h.set(c, c, (float) (h.at(c, c) + damp));
        }
    }

    /** A copy of the matrix as it would be with more damping. */
    Matrix raised(double percdamp) {
        Matrix copy = h.copy();
        raise(copy, (percdamp - this.percdamp) * mean);
        return copy;
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
