package dev.obr.kernels.hadamard;

import java.util.Optional;

/** Paley's two constructions, from the quadratic residues of a finite field. */
final class Paley {
    private Paley() {}

    /**
     * Order q + 1, q a prime of the form 4 i + 3: the first row is 1, -1, -1, ..; the first column is all 1; below them the diagonal is 1 and the rest -chi(j - i).
     */
    static Optional<HadamardMatrix> first(int order) {
        int q = order - 1;
        if (q % 4 != 3) {
            return Optional.empty();
        }
        return ResidueField.of(q).map(field -> {
            byte[] h = new byte[order * order];
            for (int row = 0; row < order; row++) {
                for (int col = 0; col < order; col++) {
                    int entry;
                    if (col == 0 || row == col) {
                        entry = 1;
                    } else if (row == 0) {
                        entry = -1;
                    } else {
                        entry = -field.character(col - 1, row - 1);
                    }
                    h[row * order + col] = (byte) entry;
                }
            }
            return new HadamardMatrix(order, h);
        });
    }

    /** Order 2 (q + 1), q of the form 4 i + 1: [[C + I, C - I], [C - I, -C - I]] of the symmetric conference matrix C [q + 1, q + 1]. */
    static Optional<HadamardMatrix> second(int order) {
        int half = order / 2;
        int q = half - 1;
        if (order % 2 != 0 || q % 4 != 1) {
            return Optional.empty();
        }
        return ResidueField.of(q).map(field -> {
            byte[] h = new byte[order * order];
            for (int row = 0; row < order; row++) {
                for (int col = 0; col < order; col++) {
                    int i = row % half;
                    int j = col % half;
                    int conference = i == j ? 0 : i == 0 || j == 0 ? 1 : field.character(j - 1, i - 1);
                    int identity = i == j ? 1 : 0;
                    boolean lower = row >= half;
                    boolean right = col >= half;
                    h[row * order + col] = (byte)
                            ((lower && right ? -conference : conference) + (lower || right ? -identity : identity));
                }
            }
            return new HadamardMatrix(order, h);
        });
    }
}
