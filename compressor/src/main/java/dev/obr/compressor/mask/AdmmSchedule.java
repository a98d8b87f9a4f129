package dev.obr.compressor.mask;

import dev.obr.kernels.ObrException;

/**
 * How {@link AdmmMask} raises its penalty: {@code levels} of equal ratio from {@code firstRho} to {@code lastRho}, each for {@code steps} steps. One level is an inverse of [cols, cols], one
 * step a product of [rows, cols] with it.
 *
 * @param levels 1 or more
 * @param steps of a level, 1 or more
 * @param firstRho above 0; the Hessian it is added to has a unit diagonal
 * @param lastRho no less than the first
 */
public record AdmmSchedule(int levels, int steps, double firstRho, double lastRho) {
    /** 120 steps, 8 inverses. */
    public static final AdmmSchedule DEFAULT = new AdmmSchedule(8, 15, 0.1, 1);
    /** 30 steps, 5 inverses: less exact, in a quarter of the time. */
    public static final AdmmSchedule FAST = new AdmmSchedule(5, 6, 0.1, 1);

    public AdmmSchedule {
        if (levels < 1 || steps < 1) {
            throw new ObrException("a mask search of " + levels + " levels of " + steps
                    + " steps is not possible: both must be 1 or more; the usual are 8 and 15");
        }
        if (!(firstRho > 0 && firstRho <= lastRho && lastRho < Double.POSITIVE_INFINITY)) {
            throw new ObrException("the mask search's penalty goes from " + firstRho + " to " + lastRho
                    + ", but must be above 0 and not fall; the usual is from 0.1 to 1");
        }
    }

    /** The penalty of a level, counted from 0. */
    public double rho(int level) {
        return levels == 1 ? firstRho : firstRho * Math.pow(lastRho / firstRho, level / (levels - 1.0));
    }
}
