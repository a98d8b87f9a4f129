package dev.obr.kernels.hadamard;

import java.util.Optional;

/**
 * The finite field of q elements, q an odd prime p or its square, as far as Paley's constructions need it: which differences are squares.
 *
 * <p>Elements are numbered: a in GF(p); a + b p for a + b x in GF(p²) = GF(p)[x] / (x² - g), g the smallest number that is no square modulo p.
 */
final class ResidueField {
    private final int p;
    private final boolean[] square;

    private ResidueField(int p, boolean[] square) {
        this.p = p;
        this.square = square;
    }

    /** The field, or nothing where q is neither an odd prime nor the square of one. */
    static Optional<ResidueField> of(int q) {
        if (isOddPrime(q)) {
            boolean[] square = new boolean[q];
            for (int a = 0; a < q; a++) {
                square[a * a % q] = true;
            }
            return Optional.of(new ResidueField(q, square));
        }
        int p = (int) Math.round(Math.sqrt(q));
        return p * p == q && isOddPrime(p) ? Optional.of(ofSquare(p)) : Optional.empty();
    }

    /** Legendre's symbol of {@code to - from}: 1 for a square, -1 for none, 0 where they are equal. */
    int character(int to, int from) {
        if (to == from) {
            return 0;
        }
        int a = Math.floorMod(to % p - from % p, p);
        int b = Math.floorMod(to / p - from / p, p);
        return square[a + b * p] ? 1 : -1;
    }

    private static ResidueField ofSquare(int p) {
        boolean[] small = of(p).orElseThrow().square;
        int g = 2;
        while (small[g]) {
            g++;
        }
        boolean[] square = new boolean[p * p];
        for (int a = 0; a < p; a++) {
            for (int b = 0; b < p; b++) {
                // (a + b x)² = a² + g b² + 2 a b x
                square[(a * a + g * b * b) % p + 2 * a * b % p * p] = true;
            }
        }
        return new ResidueField(p, square);
    }

    private static boolean isOddPrime(int n) {
        if (n < 3 || n % 2 == 0) {
            return false;
        }
        for (int d = 3; d * d <= n; d += 2) {
            if (n % d == 0) {
                return false;
            }
        }
        return true;
    }
}
