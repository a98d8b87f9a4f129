package dev.obr.kernels.linalg;

import dev.obr.kernels.cpu.ThreadTeam;

/**
 * Products of large matrices, cut into tiles that the threads of a team take one by one, or whole where the algebra computes on a device. The tiles depend on the shapes alone, so that the
 * result does not depend on the number of threads.
 */
public final class TiledProducts {
    /** A tile of this many rows packs each element of B once per 512 flops. */
    private static final int ROWS = 256;

    private static final int COLS = 512;

    private final LinearAlgebra algebra;
    private final ThreadTeam team;

    public TiledProducts(LinearAlgebra algebra, ThreadTeam team) {
        this.algebra = algebra;
        this.team = team;
    }

    /** {@code C [m,n] <- alpha · A [m,k] · B [k,n] + beta · C}. */
    public void multiply(int m, int n, int k, float alpha, Block a, Block b, float beta, Block c) {
        multiply(Transpose.NO, Transpose.NO, m, n, k, alpha, a, b, beta, c);
    }

    /** {@code A · B}, new. */
    public Matrix multiply(Matrix a, Matrix b) {
        Matrix c = Matrix.zeros(a.rows(), b.cols());
        multiply(a.rows(), b.cols(), a.cols(), 1, Block.of(a), Block.of(b), 0, Block.of(c));
        return c;
    }

    /** {@code A · Bᵀ}, new. */
    public Matrix multiplyTransposed(Matrix a, Matrix b) {
        Matrix c = Matrix.zeros(a.rows(), b.rows());
        multiply(
                Transpose.NO, Transpose.YES, a.rows(), b.rows(), a.cols(), 1, Block.of(a), Block.of(b), 0, Block.of(c));
        return c;
    }

    /** {@code C [m,n] <- C + Xᵀ Y} of X [k,m] and Y [k,n]. */
    public void addCross(int m, int n, int k, Block x, Block y, Block c) {
        multiply(Transpose.YES, Transpose.NO, m, n, k, 1, x, y, 1, c);
    }

    /** A sum [m,n] of products, kept where they are computed. */
    public ProductSum sum(int m, int n) {
        return algebra.device().map(device -> device.sum(m, n)).orElseGet(() -> ProductSum.onHost(this, m, n));
    }

    /** Keeps a matrix, which must not change, where products with it are computed. */
    public DeviceAlgebra.Held hold(Matrix matrix) {
        return algebra.device().map(device -> device.hold(matrix)).orElse(() -> {});
    }

    private void multiply(
            Transpose opA, Transpose opB, int m, int n, int k, float alpha, Block a, Block b, float beta, Block c) {
        if (algebra.device().isPresent()) {
            algebra.gemm(opA, opB, m, n, k, alpha, a, b, beta, c);
            return;
        }
        int across = Math.ceilDiv(n, COLS);
        team.run(Math.ceilDiv(m, ROWS) * across, tile -> {
            int row = tile / across * ROWS;
            int col = tile % across * COLS;
            algebra.gemm(
                    opA,
                    opB,
                    Math.min(ROWS, m - row),
                    Math.min(COLS, n - col),
                    k,
                    alpha,
                    opA == Transpose.NO ? inside(a, row, 0) : inside(a, 0, row),
                    opB == Transpose.NO ? inside(b, 0, col) : inside(b, col, 0),
                    beta,
                    inside(c, row, col));
        });
    }

    /** {@code C [n,n] <- C + alpha · Xᵀ X} of X [k,n]: the lower triangle, and a little more along the diagonal. */
    public void addGram(int n, int k, float alpha, Block x, Block c) {
        if (algebra.device().isPresent()) {
            algebra.syrk(n, k, alpha, x, c);
            return;
        }
        int size = Math.min(ROWS, Math.max(n, 1));
        int tiles = Math.ceilDiv(n, size);
        team.run(tiles * (tiles + 1) / 2, tile -> {
            int down = lowerTileRow(tile);
            int across = tile - down * (down + 1) / 2;
            int row = down * size;
            int rows = Math.min(size, n - row);
            if (across == down) {
                algebra.syrk(rows, k, alpha, inside(x, 0, row), inside(c, row, row));
            } else {
                int col = across * size;
                algebra.gemm(
                        Transpose.YES,
                        Transpose.NO,
                        rows,
                        size,
                        k,
                        alpha,
                        inside(x, 0, row),
                        inside(x, 0, col),
                        1,
                        inside(c, row, col));
            }
        });
    }

    /** The row of a tile when those of a lower triangle are counted row by row: {@code tile = row (row + 1) / 2 + col}. */
    static int lowerTileRow(int tile) {
        return (int) ((Math.sqrt(8.0 * tile + 1) - 1) / 2);
    }

    private static Block inside(Block block, int row, int col) {
        return new Block(block.values(), block.offset() + row * block.stride() + col, block.stride());
    }
}
