package dev.obr.compressor.obr;

import dev.obr.compressor.mask.Mask;
import dev.obr.kernels.linalg.Matrix;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * What the code search makes of a row, in double precision from its definition, and whether near-ties could have made it something else: the truth about rows that two implementations in
 * float32 must agree on.
 *
 * <pre>
 *   P by H_cc ascending, H_PP = L Lᵀ, y = L⁻¹ (w H)_P
 *   for each scale: nearest plane, the best of them;  sweeps, the scale of least squares, sweeps
 * </pre>
 *
 * <p>A rounding is a near-tie where the value is close to the middle of two codes, a choice of scale where another one loses about as much; each way of rounding is followed to its end, as it may
 * lose less. What is close depends on the row: products W H in float32 have errors that ill-conditioned Hessians magnify, so they are taken here, too, and what they do to y and to gradients is the measure.
 */
public final class ExactCodeSearch {
    /** Distance from the middle of two codes, in steps, and relative difference of two losses: at least. */
    private static final double LEAST = 1e-4;

    /** How many times the error that float32 leaves in the first equations they may be. */
    private static final double MARGIN = 4;

    private static final int SWEEPS = 10;

    private final Matrix h;
    private final int lowest;
    private final int highest;

    private ExactCodeSearch(Matrix h, int lowest, int highest) {
        this.h = h;
        this.lowest = lowest;
        this.highest = highest;
    }

    /** @param hessian H as it was summed, to be damped as the compressor does */
    public static ExactCodeSearch of(Matrix hessian, double percdamp, int lowest, int highest) {
        return new ExactCodeSearch(DampedHessian.of(hessian, percdamp).matrix(), lowest, highest);
    }

    /**
     * A row.
     *
     * @param codes [cols]
     * @param tied whether a near-tie could have led to others
     */
    public record Row(byte[] codes, boolean tied) {}

    /** @param base scale of the row, which candidates are multiples of */
    public Row of(Matrix weight, Mask mask, int row, float base) {
        int n = h.cols();
        double[] w = new double[n];
        Arrays.setAll(w, c -> weight.at(row, c));
        double[] product = times(w, false);
        int[] kept = IntStream.range(0, n).filter(c -> mask.keeps(row, c)).toArray();
        Rounding rounding = new Rounding(kept, product, times(w, true), base);
        Descent descent = new Descent(kept, rounding.codes(), ScaleGrid.candidate(rounding.candidate, base), w);
        descent.sweeps();
        descent.refit(product);
        descent.sweeps();
        return new Row(descent.codes, rounding.tied || descent.tied);
    }

    /** {@code w H}, perhaps as float32 sums it from the first column to the last. */
    private double[] times(double[] w, boolean rounded) {
        double[] product = new double[w.length];
        for (int i = 0; i < w.length; i++) {
            for (int j = 0; w[i] != 0 && j < w.length; j++) {
                product[j] += w[i] * h.at(i, j);
                product[j] = rounded ? (float) product[j] : product[j];
            }
        }
        return product;
    }

    private double code(double place) {
        return Math.clamp(Math.rint(place), lowest, highest) + 0.0; // no zero is negative
    }

    /** The middle of two codes that a place is nearest to. */
    private double middle(double place) {
        return Math.clamp(Math.floor(place), lowest, highest - 1) + 0.5;
    }

    /** All candidates, and all ways of their near-ties. */
    private final class Rounding {
        private final int[] order;
        private final double[][] l;
        private final double[] y;
        private final double nearTie;
        private double sameLoss;
        private double least = Double.POSITIVE_INFINITY;
        private double[] best = {};
        private int candidate;
        private boolean tied;

        Rounding(int[] kept, double[] product, double[] inFloats, float base) {
            order = IntStream.of(kept)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer c) -> h.at(c, c)))
                    .mapToInt(c -> c)
                    .toArray();
            l = factor();
            y = substitute(product);
            double[] other = substitute(inFloats);
            double worst = 0;
            double distance = 0;
            for (int i = 0; i < y.length; i++) {
                worst = Math.max(worst, Math.abs(y[i] - other[i]) / (l[i][i] * base));
                distance += Math.pow(y[i] - other[i], 2);
            }
            nearTie = Math.max(LEAST, MARGIN * worst);
            for (int g = 0; g < ScaleGrid.CANDIDATES; g++) {
                follow(g, ScaleGrid.candidate(g, base), false);
            }
            sameLoss = Math.max(LEAST, MARGIN * Math.sqrt(distance / least));
            double[] found = best;
            int chosen = candidate;
            for (int g = 0; g < ScaleGrid.CANDIDATES && !tied; g++) {
                follow(g, ScaleGrid.candidate(g, base), true);
            }
            best = found;
            candidate = chosen;
        }

        private double[] substitute(double[] b) {
            double[] y = new double[order.length];
            for (int i = 0; i < order.length; i++) {
                double rest = b[order[i]];
                for (int j = 0; j < i; j++) {
                    rest -= l[i][j] * y[j];
                }
                y[i] = rest / l[i][i];
            }
            return y;
        }

        private double[][] factor() {
            double[][] l = new double[order.length][];
            for (int i = 0; i < order.length; i++) {
                l[i] = new double[i + 1];
                for (int j = 0; j <= i; j++) {
                    double rest = h.at(order[i], order[j]);
                    for (int k = 0; k < j; k++) {
                        rest -= l[i][k] * l[j][k];
                    }
                    l[i][j] = i == j ? Math.sqrt(rest) : rest / l[j][j];
                }
            }
            return l;
        }

        private void follow(int g, float scale, boolean bothWays) {
            follow(g, scale, bothWays, order.length - 1, y.clone(), new double[order.length], 0);
        }

        /** From unknown {@code at} on; either it looks for the best, or for whatever is as good. */
        private void follow(int g, float scale, boolean bothWays, int at, double[] u, double[] codes, double loss) {
            double limit = bothWays ? least * (1 + sameLoss) : least;
            for (int i = at; i >= 0 && loss <= limit; i--) {
                double x = u[i] / l[i][i];
                double place = x / scale;
                double code = code(place);
                double middle = middle(place);
                if (bothWays && Math.abs(place - middle) < nearTie) {
                    tied |= g == candidate;
                    double[] otherCodes = codes.clone();
                    double[] otherU = u.clone();
                    otherCodes[i] = 2 * middle - code;
                    double lost = push(i, x, scale * otherCodes[i], otherU);
                    follow(g, scale, true, i - 1, otherU, otherCodes, loss + lost);
                }
                codes[i] = code;
                loss += push(i, x, scale * code, u);
            }
            if (bothWays) {
                tied |= loss <= limit && !isBest(g, codes);
            } else if (loss < least) {
                least = loss;
                best = codes;
                candidate = g;
            }
        }

        /** The mirror image of the best, by the scale of the other sign, loses the same in any arithmetic, and comes second. */
        private boolean isBest(int g, double[] codes) {
            double[] mirrored = new double[codes.length];
            Arrays.setAll(mirrored, i -> 0 - codes[i]); // no zero is negative
            return g == candidate && Arrays.equals(codes, best)
                    || g == candidate + 1 && g % 2 == 1 && Arrays.equals(mirrored, best);
        }

        private double push(int i, double x, double q, double[] u) {
            for (int j = 0; j < i; j++) {
                u[j] -= l[i][j] * q;
            }
            return Math.pow(l[i][i] * (x - q), 2);
        }

        byte[] codes() {
            byte[] codes = new byte[h.cols()];
            for (int i = 0; i < order.length; i++) {
                codes[order[i]] = (byte) best[i];
            }
            return codes;
        }
    }

    /** One code after the other, each at its best. */
    private final class Descent {
        private final int[] kept;
        private final byte[] codes;
        private final double[] gradient;
        private final double nearTie;
        private double scale;
        private boolean tied;

        Descent(int[] kept, byte[] codes, float scale, double[] w) {
            this.kept = kept;
            this.codes = codes;
            this.scale = scale;
            double[] change = new double[w.length];
            Arrays.setAll(change, c -> (double) scale * codes[c] - w[c]);
            gradient = times(change, false);
            double[] other = times(change, true);
            double worst = 0;
            for (int j : kept) {
                worst = Math.max(worst, Math.abs(gradient[j] - other[j]) / (h.at(j, j) * Math.abs(scale)));
            }
            nearTie = Math.max(LEAST, MARGIN * worst);
        }

        void sweeps() {
            boolean changed = true;
            for (int sweep = 0; sweep < SWEEPS && changed; sweep++) {
                changed = false;
                for (int j : kept) {
                    double place = codes[j] - gradient[j] / h.at(j, j) / scale;
                    tied |= Math.abs(place - middle(place)) < nearTie;
                    double d = scale * (code(place) - codes[j]);
                    if (2 * d * gradient[j] + d * d * h.at(j, j) < 0) {
                        codes[j] = (byte) code(place);
                        for (int c = 0; c < gradient.length; c++) {
                            gradient[c] += d * h.at(j, c);
                        }
                        changed = true;
                    }
                }
            }
        }

        void refit(double[] product) {
            double withWeights = 0; // c · w H
            double withCodes = 0; // c · c H
            for (int j : kept) {
                withWeights += codes[j] * product[j];
                withCodes += codes[j] * (gradient[j] + product[j]) / scale;
            }
            if (!(withCodes > 0) || withWeights == 0) {
                return;
            }
            double fitted = withWeights / withCodes;
            for (int c = 0; c < gradient.length; c++) {
                gradient[c] = fitted / scale * (gradient[c] + product[c]) - product[c];
            }
            scale = fitted;
        }
    }
}
