package dev.obr.kernels.linalg;

/** {@code C [m,n]}, a sum of products {@code Xᵀ Y} that is kept where it is computed until it is asked for. */
public interface ProductSum extends AutoCloseable {
    /** {@code C += Xᵀ Y} of X [k,m] and Y [k,n]. */
    void add(int k, Block x, Block y);

    /** {@code C += Xᵀ X} of X [k,n], where C is square: its lower triangle. What is above the diagonal means nothing then. */
    void addGram(int k, Block x);

    /** What was added so far. The matrix may be the sum itself: it is no longer valid after another call. */
    Matrix value();

    /** Lets go of it; not an error if it was before. */
    @Override
    void close();

    /** In the memory of the host. */
    static ProductSum onHost(TiledProducts products, int m, int n) {
        Matrix sum = Matrix.zeros(m, n);
        return new ProductSum() {
            @Override
            public void add(int k, Block x, Block y) {
                products.addCross(m, n, k, x, y, Block.of(sum));
            }

            @Override
            public void addGram(int k, Block x) {
                products.addGram(n, k, 1, x, Block.of(sum));
            }

            @Override
            public Matrix value() {
                return sum;
            }

            @Override
            public void close() {}
        };
    }
}
