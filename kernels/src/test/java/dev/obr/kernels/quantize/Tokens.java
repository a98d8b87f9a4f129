package dev.obr.kernels.quantize;

import java.util.Random;

/** Activations as models have them: bell-shaped, with a few large channels, at any magnitude. */
final class Tokens {
    private Tokens() {}

    /** @param exponent of two that scales all values */
    static float[] random(int n, int exponent, long seed) {
        Random random = new Random(seed);
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            double value = random.nextGaussian() * (random.nextInt(24) == 0 ? 12 : 1);
            x[i] = (float) Math.scalb(random.nextInt(16) == 0 ? 0 : value, exponent);
        }
        return x;
    }

    /** Whether a half float holds the number exactly. */
    static boolean isHalf(float x) {
        return Float.float16ToFloat(Float.floatToFloat16(x)) == x;
    }

    /** How far rounding to a half float may move a positive number. */
    static double halfRounding(double x) {
        return Math.max(x * 0x1p-11, 0x1p-25) * (1 + 1e-6);
    }
}
