package dev.obr.compressor.rotation;

import dev.obr.compressor.random.TorchSigns;
import dev.obr.kernels.hadamard.HadamardTransform;

/**
 * The random orthogonal matrix R1 = diag(sign) (H ⊗ S)ᵀ / √n of QuaRot, applied without ever being formed.
 *
 * <p>Row vectors are rotated by x R1, the outputs of a layer by R1ᵀ y: both multiply by the signs and then apply the transform.
 */
final class RandomHadamard {
    private final HadamardTransform transform;
    private final int[] signs;

    RandomHadamard(HadamardTransform transform, long seed) {
        this.transform = transform;
        this.signs = TorchSigns.draw(seed, transform.size());
    }

    /** Every column of x [n, width], in place: x <- R1ᵀ x. With width 1 that is a row vector times R1. */
    void apply(double[] x, int offset, int width) {
        for (int i = 0; i < signs.length; i++) {
            if (signs[i] < 0) {
                for (int c = offset + i * width; c < offset + (i + 1) * width; c++) {
                    x[c] = -x[c];
                }
            }
        }
        transform.applyAcross(x, offset, width);
    }
}
