package dev.obr.kernels.linalg;

/**
 * The vectors of many rows' conjugate gradients, {@code H_RR x = b} with unknowns R of each row's own, where their products with H are computed. Who iterates sees a few numbers a row.
 *
 * <pre>
 *   begin(b, R)           x = 0, r = b
 *     precondition()      z = M⁻¹ r               gives r z
 *     turn(share)         p = z + share p
 *     curvature()         y = p H                 gives p y
 *     step(length)        x += length p,  r -= length y
 *   residual()            r = b - x H             of x as it is, to see what rounding made of r
 *   copyOut               x
 * </pre>
 */
public interface GradientVectors extends AutoCloseable {
    /**
     * What is known of the residuals.
     *
     * @param squares [rows] {@code r r}
     * @param given [rows] {@code b b}, over the unknowns
     * @param gain [rows] {@code x (b + r)}
     */
    record Residuals(double[] squares, double[] given, double[] gain) {}

    /** Rows that there is room for at once. */
    int capacity();

    /**
     * Takes the rows [top, top + rows) of b.
     *
     * @param unknown of the same shape as b
     * @throws NotPositiveDefiniteException if the preconditioner of a row has no factor
     */
    Residuals begin(Matrix b, boolean[] unknown, int top, int rows);

    /** Computes the residuals anew. */
    Residuals residual();

    /** @return [rows] {@code r z} */
    double[] precondition();

    /**
     * The next directions.
     *
     * @param share [rows]
     * @param done rows whose directions are zero from now on
     */
    void turn(float[] share, boolean[] done);

    /** @return [rows] {@code p H p} */
    double[] curvature();

    /** One step along the directions. @param length [rows], 0 for those that are done */
    Residuals step(float[] length);

    /** Copies x to the rows of {@code to} from {@code top} on. */
    void copyOut(Matrix to, int top);

    @Override
    void close();
}
