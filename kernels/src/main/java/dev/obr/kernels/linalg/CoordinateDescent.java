package dev.obr.kernels.linalg;

/**
 * Improves one row's codes by moving each alone to the best value its grid has for it, again and again, and by the scale that serves the codes best.
 *
 * <pre>
 *   g = (ŵ - w) H;   for kept j:  z = deq(ŵ_j - g_j / H_jj),  d = z - ŵ_j
 *   where 2 d g_j + d² H_jj &lt; 0:  ŵ_j = z,  g += d H[j, :]
 *   s = (c · w H) / (c · c H)  for codes c
 * </pre>
 *
 * <p>The loss {@code (ŵ - w) H (ŵ - w)ᵀ} never rises. Gradients are kept in double precision. This is the specification of {@code coordinate_descent.cu}, which gives the same to the bit.
 */
public final class CoordinateDescent {
    private static final int SWEEPS = 10;

    /** Sums of the scale are added up in so many parts, then these in pairs: as a GPU's threads do. */
    private static final int PARTS = 256;

    private final Matrix h;
    private final int lowest;
    private final int highest;
    private final byte[] codes;
    private final int[] kept;
    private final double[] gradient;
    private float scale;

    /**
     * @param h H [cols, cols]
     * @param lowest code
     * @param highest code
     * @param codes [cols], changed in place
     * @param scale of the codes, not 0
     * @param kept columns, ascending
     * @param gradient g [cols]
     */
    public CoordinateDescent(
            Matrix h, int lowest, int highest, byte[] codes, float scale, int[] kept, double[] gradient) {
        this.h = h;
        this.lowest = lowest;
        this.highest = highest;
        this.codes = codes;
        this.scale = scale;
        this.kept = kept;
        this.gradient = gradient;
    }

    public float scale() {
        return scale;
    }

    /** g [cols] as it is now. */
    public double[] gradient() {
        return gradient;
    }

    /**
     * All of it: descends, fits the scale, descends again.
     *
     * @param product w H [rows, cols], of which the row {@code row} is this one's
     */
    public void improve(Matrix product, int row) {
        descend();
        refitScale(product, row);
        descend();
    }

    /** Sweeps over the kept columns until none changes, ten times at most. */
    public void descend() {
        boolean changed = true;
        for (int sweep = 0; sweep < SWEEPS && changed; sweep++) {
            changed = false;
            for (int j : kept) {
                changed |= improve(j);
            }
        }
    }

    private boolean improve(int j) {
        double diagonal = h.at(j, j);
        double value = (double) scale * codes[j];
        int code = (int) Math.rint(Math.max(lowest, Math.min(highest, (value - gradient[j] / diagonal) / scale)));
        double d = (double) scale * (code - codes[j]);
        if (!(2 * d * gradient[j] + d * d * diagonal < 0)) {
            return false;
        }
        codes[j] = (byte) code;
        int row = j * h.cols();
        for (int c = 0; c < gradient.length; c++) {
            gradient[c] += d * h.values()[row + c];
        }
        return true;
    }

    /**
     * Takes the scale of least squares for the codes as they are. Codes that are all zero keep theirs.
     *
     * @param product w H [rows, cols], of which the row {@code row} is this one's
     */
    public void refitScale(Matrix product, int row) {
        int at = row * product.cols();
        double[] weightParts = new double[PARTS]; // c · w H
        double[] codeParts = new double[PARTS]; // c · c H,  c H = (g + w H) / s
        for (int j : kept) {
            double wh = product.values()[at + j];
            weightParts[j % PARTS] += codes[j] * wh;
            codeParts[j % PARTS] += codes[j] * (gradient[j] + wh) / scale;
        }
        double withWeights = sum(weightParts);
        double withCodes = sum(codeParts);
        float fitted = (float) (withWeights / withCodes);
        if (!(withCodes > 0) || !(Math.abs(fitted) >= Float.MIN_NORMAL) || Float.isInfinite(fitted)) {
            return;
        }
        double ratio = (double) fitted / scale;
        for (int c = 0; c < gradient.length; c++) {
            double wh = product.values()[at + c];
            gradient[c] = ratio * (gradient[c] + wh) - wh;
        }
        scale = fitted;
    }

    private static double sum(double[] parts) {
        for (int half = PARTS / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                parts[i] += parts[i + half];
            }
        }
        return parts[0];
    }
}
