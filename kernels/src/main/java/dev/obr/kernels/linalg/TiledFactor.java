package dev.obr.kernels.linalg;

import dev.obr.kernels.cpu.ThreadTeam;
import java.util.Arrays;

/**
 * Cholesky factor and triangular inverse of one large matrix, by the threads of a team. Blocks have a fixed size, so the result does not depend on the number of threads.
 *
 * <pre>
 *   [A11    ]   L11 = factor of A11 (one thread),  L21 = A21 L11⁻ᵀ,  then the same with A22 - L21 L21ᵀ
 *   [A21 A22]
 * </pre>
 */
public final class TiledFactor {
    private static final int BLOCK = 512;
    private static final int TILE = 256;

    private final LinearAlgebra algebra;
    private final ThreadTeam team;

    public TiledFactor(LinearAlgebra algebra, ThreadTeam team) {
        this.algebra = algebra;
        this.team = team;
    }

    /**
     * The lower triangle of {@code a} [n,n] becomes L; what is above the diagonal is zero afterwards.
     *
     * @throws NotPositiveDefiniteException if there is no such L
     */
    public void cholesky(Matrix a) {
        int n = a.rows();
        int block = block(n);
        for (int k = 0; k < n; k += block) {
            int begin = k;
            int size = Math.min(block, n - k);
            int end = k + size;
            factorCorner(a, begin, size);
            if (end == n) {
                break;
            }
            Matrix inverse = inverseOfCorner(a, begin, size);
            int tiles = Math.ceilDiv(n - end, TILE);
            team.run(tiles, tile -> {
                int row = end + tile * TILE;
                int rows = Math.min(TILE, n - row);
                Matrix below = copy(a, row, begin, rows, size); // A21, then L21 = A21 L11⁻ᵀ
                algebra.gemm(
                        Transpose.NO,
                        Transpose.YES,
                        rows,
                        size,
                        size,
                        1,
                        Block.of(below),
                        Block.of(inverse),
                        0,
                        Block.at(a, row, begin));
            });
            team.run(tiles * (tiles + 1) / 2, tile -> {
                int down = TiledProducts.lowerTileRow(tile);
                int across = tile - down * (down + 1) / 2;
                int row = end + down * TILE;
                int col = end + across * TILE;
                algebra.gemm(
                        Transpose.NO,
                        Transpose.YES,
                        Math.min(TILE, n - row),
                        Math.min(TILE, n - col),
                        size,
                        -1,
                        Block.at(a, row, begin),
                        Block.at(a, col, begin),
                        1,
                        Block.at(a, row, col));
            });
        }
        clearAbove(a);
    }

    /** {@code L <- L⁻¹}, both lower triangular with zeros above: row block i is {@code -Lii⁻¹ · L[i, 0..i) · inverse of the rows before}. */
    public void invertLower(Matrix l) {
        int n = l.rows();
        int block = block(n);
        for (int k = 0; k < n; k += block) {
            int begin = k;
            int size = Math.min(block, n - k);
            Matrix corner = inverseOfCorner(l, begin, size);
            Matrix before = copy(l, begin, 0, size, begin);
            team.run(Math.ceilDiv(begin, TILE), tile -> {
                int col = tile * TILE;
                int cols = Math.min(TILE, begin - col);
                Matrix product = Matrix.zeros(size, cols); // the inverse is zero above row col
                algebra.gemm(
                        Transpose.NO,
                        Transpose.NO,
                        size,
                        cols,
                        begin - col,
                        1,
                        Block.at(before, 0, col),
                        Block.at(l, col, col),
                        0,
                        Block.of(product));
                algebra.gemm(
                        Transpose.NO,
                        Transpose.NO,
                        size,
                        cols,
                        size,
                        -1,
                        Block.of(corner),
                        Block.of(product),
                        0,
                        Block.at(l, begin, col));
            });
            for (int i = 0; i < size; i++) {
                System.arraycopy(corner.values(), i * size, l.values(), (begin + i) * n + begin, size);
            }
        }
    }

    /** A device takes the matrix whole. */
    private int block(int n) {
        return algebra.device().isPresent() ? Math.max(n, 1) : BLOCK;
    }

    private void factorCorner(Matrix a, int begin, int size) {
        try {
            algebra.cholesky(size, Block.at(a, begin, begin));
        } catch (NotPositiveDefiniteException e) {
            throw new NotPositiveDefiniteException(begin + e.order());
        }
    }

    /** The inverse of the lower triangle at (begin, begin), zero above. */
    private Matrix inverseOfCorner(Matrix l, int begin, int size) {
        Matrix inverse = copy(l, begin, begin, size, size);
        algebra.invertLower(size, Block.of(inverse));
        clearAbove(inverse);
        return inverse;
    }

    private static Matrix copy(Matrix from, int row, int col, int rows, int cols) {
        Matrix copy = Matrix.zeros(rows, cols);
        for (int i = 0; i < rows; i++) {
            System.arraycopy(from.values(), (row + i) * from.cols() + col, copy.values(), i * cols, cols);
        }
        return copy;
    }

    private static void clearAbove(Matrix square) {
        int n = square.rows();
        for (int i = 0; i < n; i++) {
            Arrays.fill(square.values(), i * n + i + 1, (i + 1) * n, 0);
        }
    }
}
