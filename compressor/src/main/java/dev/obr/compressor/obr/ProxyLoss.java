package dev.obr.compressor.obr;

import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;

/** How much a changed weight changes the layer's output over the calibration inputs: {@code tr((W - Ŵ) H (W - Ŵ)ᵀ)} with the undamped H. */
final class ProxyLoss {
    private static final int ROWS = 1024;

    private final TiledProducts products;
    private final Matrix hessian;

    ProxyLoss(TiledProducts products, Matrix hessian) {
        this.products = products;
        this.hessian = hessian;
    }

    double of(Matrix weight, Matrix changed) {
        int cols = weight.cols();
        int height = Math.min(ROWS, weight.rows());
        Matrix difference = Matrix.zeros(height, cols);
        Matrix product = Matrix.zeros(height, cols); // (W - Ŵ) H
        try (DeviceAlgebra.Held held = products.hold(hessian)) {
            return sum(weight, changed, difference, product);
        }
    }

    private double sum(Matrix weight, Matrix changed, Matrix difference, Matrix product) {
        int cols = weight.cols();
        int height = difference.rows();
        double sum = 0;
        for (int top = 0; top < weight.rows(); top += height) {
            int rows = Math.min(height, weight.rows() - top);
            for (int i = 0; i < rows * cols; i++) {
                difference.values()[i] = weight.values()[top * cols + i] - changed.values()[top * cols + i];
            }
            products.multiply(rows, cols, cols, 1, Block.of(difference), Block.of(hessian), 0, Block.of(product));
            for (int i = 0; i < rows * cols; i++) {
                sum += (double) difference.values()[i] * product.values()[i];
            }
        }
        return sum;
    }
}
