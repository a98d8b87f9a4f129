package dev.obr.kernels.linalg;

import dev.obr.kernels.cpu.ThreadTeam;

/**
 * The inverse of a symmetric positive definite matrix: with {@code A = L Lᵀ} and {@code M = L⁻¹}, it is {@code Mᵀ M}. All three steps take n³/3 multiplications or fewer.
 */
public final class SymmetricInverse {
    private static final int TILE = 256;

    private SymmetricInverse() {}

    /**
     * {@code A⁻¹} [n,n], both triangles, of {@code a} [n,n], which stays as it is.
     *
     * @throws NotPositiveDefiniteException if a has no Cholesky factor in float32
     */
    public static Matrix of(LinearAlgebra algebra, ThreadTeam team, Matrix a) {
        int n = a.rows();
        Matrix m = a.copy();
        TiledFactor factor = new TiledFactor(algebra, team);
        factor.cholesky(m);
        factor.invertLower(m);
        Matrix inverse = Matrix.zeros(n, n);
        int size = algebra.device().isPresent() ? Math.max(n, 1) : TILE; // which takes the matrix whole
        int tiles = Math.ceilDiv(n, size);
        team.run(tiles * (tiles + 1) / 2, tile -> {
            int down = TiledProducts.lowerTileRow(tile);
            int row = down * size;
            int col = (tile - down * (down + 1) / 2) * size;
            int rows = Math.min(size, n - row);
            int cols = Math.min(size, n - col);
            algebra.gemm( // M is zero above its diagonal, so only its rows from `row` on count
                    Transpose.YES,
                    Transpose.NO,
                    rows,
                    cols,
                    n - row,
                    1,
                    Block.at(m, row, row),
                    Block.at(m, row, col),
                    0,
                    Block.at(inverse, row, col));
            for (int r = row; r < row + rows; r++) {
                for (int c = col; c < Math.min(col + cols, r); c++) {
                    inverse.set(c, r, inverse.at(r, c));
                }
            }
        });
        return inverse;
    }
}
