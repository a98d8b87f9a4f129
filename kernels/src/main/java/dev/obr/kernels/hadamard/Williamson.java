package dev.obr.kernels.hadamard;

import java.util.Arrays;
import java.util.Optional;

/**
 * Williamson's construction for the orders that QuaRot's tables take from it: symmetric circulants A, B, C, D [m, m] whose power spectra add up to 4 m, order n = 4 m, in
 *
 * <pre>
 *    A  B  C  D
 *   -B  A -D  C
 *   -C  D  A -B
 *   -D -C  B  A
 * </pre>
 */
enum Williamson {
    ORDER_52(13, "1 3 4", "1 2 3", "2 4 5", "1 2 3 4 6"),
    ORDER_148(
            37,
            "2 4 6 7 8 9 12 13 15 16",
            "2 4 6 7 8 9 12 13 15 16",
            "4 9 11 12 14 15 16",
            "1 2 3 5 6 7 8 10 13 17 18"),
    ORDER_156(
            39,
            "3 4 6 8 9 10 11 12 14 15 18 19",
            "4 5 6 8 9 12 13 14 15 17 19",
            "3 4 7 9 10 11 13 15 16 18 19",
            "1 2 3 6 8 10 11 12 13 14 18"),
    ORDER_172(
            43,
            "1 2 3 6 7 12 14 18 21",
            "2 9 10 11 12 14 16 17 20",
            "3 5 8 9 11 13 18 20 21",
            "2 3 4 9 11 12 14 15 18 19 20 21");

    /** Which circulant stands where, numbered from 1 (A) to 4 (D), with its sign. */
    private static final int[][] PLACES = {{1, 2, 3, 4}, {-2, 1, -4, 3}, {-3, 4, 1, -2}, {-4, -3, 2, 1}};

    private final int m;
    private final int[][] circulants;

    /** The positions i in 1 .. (m - 1) / 2 of the circulants' first rows that are -1; the rest follows from symmetry, a(m - i) = a(i). */
    Williamson(int m, String a, String b, String c, String d) {
        this.m = m;
        this.circulants = new int[][] {firstRow(m, a), firstRow(m, b), firstRow(m, c), firstRow(m, d)};
    }

    /** The matrix, or nothing where the order is none of the four. */
    static Optional<HadamardMatrix> of(int order) {
        return Arrays.stream(values()).filter(w -> 4 * w.m == order).findFirst().map(Williamson::matrix);
    }

    private static int[] firstRow(int m, String negative) {
        int[] row = new int[m];
        Arrays.fill(row, 1);
        for (String position : negative.split(" ", -1)) {
            int i = Integer.parseInt(position);
            row[i] = -1;
            row[m - i] = -1;
        }
        return row;
    }

    private HadamardMatrix matrix() {
        int order = 4 * m;
        byte[] h = new byte[order * order];
        for (int row = 0; row < order; row++) {
            for (int col = 0; col < order; col++) {
                int place = PLACES[row / m][col / m];
                // row i of a circulant is its first row, moved right by i
                int entry = circulants[Math.abs(place) - 1][Math.floorMod(col % m - row % m, m)];
                h[row * order + col] = (byte) (place < 0 ? -entry : entry);
            }
        }
        return new HadamardMatrix(order, h);
    }
}
