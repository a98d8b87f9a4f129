package dev.obr.compressor.mask;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The searched mask against the best of all masks, on rows so short that all can be tried. */
class AdmmMaskTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();
    private static final int ROWS = 60;
    private static final int COLS = 8;

    @Test
    void comesCloseToTheBestMask() {
        Random random = new Random(3);
        Matrix h = hessian(random);
        Matrix w = Matrix.zeros(ROWS, COLS);
        for (int i = 0; i < w.values().length; i++) {
            w.values()[i] = (float) random.nextGaussian();
        }
        float[] diagonal = new float[COLS];
        for (int c = 0; c < COLS; c++) {
            diagonal[c] = h.at(c, c);
        }
        Mask wanda = MaskSelection.select(Scores.of(w, Scores.wanda(diagonal)), Pattern.UNSTRUCTURED, 0.5);
        Mask searched = choose(w, h, AdmmSchedule.DEFAULT);
        double least = 0;
        double found = 0;
        double simple = 0;
        for (int r = 0; r < ROWS; r++) {
            assertThat(searched.keptInRow(r)).isEqualTo(COLS / 2);
            least += leastLoss(w, r, h);
            found += loss(w, r, h, bits(searched, r));
            simple += loss(w, r, h, bits(wanda, r));
        }
        assertThat(simple).isGreaterThan(1.1 * least);
        assertThat(found).isLessThan(least + 0.3 * (simple - least));
    }

    @Test
    void schedulesRiseGeometrically() {
        assertThat(AdmmSchedule.DEFAULT.rho(0)).isEqualTo(0.1);
        assertThat(AdmmSchedule.DEFAULT.rho(7)).isCloseTo(1, within(1e-12));
        assertThat(AdmmSchedule.FAST.rho(2)).isCloseTo(Math.sqrt(0.1), within(1e-12));
        assertThat(new AdmmSchedule(1, 3, 0.2, 5).rho(0)).isEqualTo(0.2);
        assertThatExceptionOfType(ObrException.class)
                .isThrownBy(() -> new AdmmSchedule(8, 15, 1, 0.1))
                .withMessageContaining("from 1.0 to 0.1");
        assertThatExceptionOfType(ObrException.class)
                .isThrownBy(() -> new AdmmSchedule(8, 0, 0.1, 1))
                .withMessageContaining("8 levels of 0 steps");
    }

    private static Mask choose(Matrix w, Matrix h, AdmmSchedule schedule) {
        try (ThreadTeam team = new ThreadTeam(2)) {
            return new AdmmMask(new TiledProducts(ALGEBRA, team), team, Pattern.UNSTRUCTURED, 0.5)
                    .choose(w, new AdmmHessian(ALGEBRA, team, schedule, h));
        }
    }

    private static Matrix hessian(Random random) {
        Matrix h = Matrix.zeros(COLS, COLS);
        for (int t = 0; t < 40; t++) {
            double common = random.nextGaussian();
            double[] x = random.doubles(COLS, -1, 1)
                    .map(noise -> 0.6 * noise + common)
                    .toArray();
            for (int r = 0; r < COLS; r++) {
                for (int c = 0; c < COLS; c++) {
                    h.set(r, c, h.at(r, c) + (float) (x[r] * x[c]));
                }
            }
        }
        return h;
    }

    private static double leastLoss(Matrix w, int row, Matrix h) {
        double least = Double.POSITIVE_INFINITY;
        for (int kept = 0; kept < 1 << COLS; kept++) {
            if (Integer.bitCount(kept) == COLS / 2) {
                least = Math.min(least, loss(w, row, h, kept));
            }
        }
        return least;
    }

    private static int bits(Mask mask, int row) {
        int bits = 0;
        for (int c = 0; c < COLS; c++) {
            bits |= mask.keeps(row, c) ? 1 << c : 0;
        }
        return bits;
    }

    /** {@code w_E (H_EE - H_ER H_RR⁻¹ H_RE) w_E}: what is left when the kept columns R are eliminated, in double precision. */
    private static double loss(Matrix w, int row, Matrix h, int kept) {
        double[][] a = new double[COLS][COLS];
        for (int i = 0; i < COLS; i++) {
            for (int j = 0; j < COLS; j++) {
                a[i][j] = h.at(i, j);
            }
        }
        for (int k = 0; k < COLS; k++) {
            if ((kept >> k & 1) == 1) {
                double[] pivot = a[k].clone();
                for (int i = 0; i < COLS; i++) {
                    double factor = a[i][k] / pivot[k];
                    for (int j = 0; j < COLS; j++) {
                        a[i][j] -= factor * pivot[j];
                    }
                }
            }
        }
        double loss = 0;
        for (int i = 0; i < COLS; i++) {
            for (int j = 0; j < COLS; j++) {
                if ((kept >> i & 1) == 0 && (kept >> j & 1) == 0) {
                    loss += w.at(row, i) * a[i][j] * w.at(row, j);
                }
            }
        }
        return loss;
    }
}
