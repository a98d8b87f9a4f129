package dev.obr.kernels.hadamard;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A Hadamard matrix H [order, order]: entries +1 and -1, H Hᵀ = order · I.
 *
 * <p>Matrices are made by formula, and for each order always the same one, entry by entry that of QuaRot and SpinQuant where they have the order (12, 20, 28, 36, 40, 44, 52, 60,
 * 108, 140, 148, 156, 172), so that models rotated elsewhere stay readable. In this sequence the first that applies:
 *
 * <ol>
 *   <li>Sylvester for powers of two
 *   <li>Williamson for 52, 148, 156 and 172, from stored circulants
 *   <li>Paley I for order q + 1, q a prime of the form 4 i + 3
 *   <li>Paley II for order 2 (q + 1), q a prime of the form 4 i + 1 or the square of an odd prime
 *   <li>[[H, H], [H, -H]] of half the order
 * </ol>
 */
public final class HadamardMatrix {
    /** Far beyond what a transform multiplies densely (the largest in use is 924). */
    private static final int MAX_ORDER = 4096;

    private final int order;
    private final byte[] entries;

    /** @param entries row-major, +1 or -1 */
    HadamardMatrix(int order, byte[] entries) {
        this.order = order;
        this.entries = entries;
    }

    /** The matrix of that order, or nothing where none of the constructions gives one. */
    public static Optional<HadamardMatrix> of(int order) {
        if (order < 1 || order > MAX_ORDER || order > 2 && order % 4 != 0) {
            return Optional.empty();
        }
        if (order == 1) {
            return Optional.of(new HadamardMatrix(1, new byte[] {1}));
        }
        if (Integer.bitCount(order) == 1) {
            return of(order / 2).map(HadamardMatrix::doubled);
        }
        return Williamson.of(order)
                .or(() -> Paley.first(order))
                .or(() -> Paley.second(order))
                .or(() -> of(order / 2).map(HadamardMatrix::doubled));
    }

    /** Rows, which are as many as columns. */
    public int order() {
        return order;
    }

    /** +1 or -1. */
    public int at(int row, int col) {
        return entries[row * order + col];
    }

    /** All entries, row by row, as bytes on the heap; read-only. */
    public MemorySegment entries() {
        return MemorySegment.ofArray(entries).asReadOnly();
    }

    /** Hᵀ, which is no other formula's matrix: Paley's first kind is not symmetric. */
    public HadamardMatrix transposed() {
        byte[] turned = new byte[entries.length];
        for (int row = 0; row < order; row++) {
            for (int col = 0; col < order; col++) {
                turned[col * order + row] = entries[row * order + col];
            }
        }
        return new HadamardMatrix(order, turned);
    }

    /** [[H, H], [H, -H]]. */
    private HadamardMatrix doubled() {
        int n = 2 * order;
        byte[] twice = new byte[n * n];
        for (int row = 0; row < n; row++) {
            for (int col = 0; col < n; col++) {
                int entry = at(row % order, col % order);
                twice[row * n + col] = (byte) (row >= order && col >= order ? -entry : entry);
            }
        }
        return new HadamardMatrix(n, twice);
    }
}
