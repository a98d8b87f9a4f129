package dev.obr.kernels.gpu;

/** e^x as the kernels compute it ({@code exponential.cuh}, {@code sample.cu}), to the bit: of fused multiply-adds, within 2 units of rounding. */
public final class Exponential {
    private static final float ROUNDING = 0x1.8p23f; // what is added to it keeps a whole number in its low bits
    private static final float[] POLYNOMIAL = {1f / 720, 1f / 120, 1f / 24, 1f / 6, 0.5f, 1, 1};

    private static final double DOUBLE_ROUNDING = 0x1.8p52;
    private static final double[] DOUBLE_POLYNOMIAL = {
        1.0 / 479001600,
        1.0 / 39916800,
        1.0 / 3628800,
        1.0 / 362880,
        1.0 / 40320,
        1.0 / 5040,
        1.0 / 720,
        1.0 / 120,
        1.0 / 24,
        1.0 / 6,
        0.5,
        1,
        1
    };

    private Exponential() {}

    /** x beyond -87 or 88 is taken as these, no number as -87. */
    public static float of(float x) {
        float clamped = Float.isNaN(x) ? -87 : Math.clamp(x, -87, 88);
        float shifted = Math.fma(clamped, 1.44269504f, ROUNDING);
        float n = shifted - ROUNDING;
        float r = Math.fma(n, -0x1.7f7d1cp-20f, Math.fma(n, -0x1.62e4p-1f, clamped));
        float p = 1f / 5040;
        for (float coefficient : POLYNOMIAL) {
            p = Math.fma(p, r, coefficient);
        }
        return p * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + 0x3f800000);
    }

    /** @param x at most 0; what is below -708 makes 0, and so does no number */
    public static double of(double x) {
        if (!(x >= -708)) {
            return 0;
        }
        double shifted = Math.fma(x, 0x1.71547652b82fep0, DOUBLE_ROUNDING);
        double n = shifted - DOUBLE_ROUNDING;
        double r = Math.fma(n, -0x1.abc9e3b39803fp-56, Math.fma(n, -0x1.62e42fefa39efp-1, x));
        double p = 1.0 / 6227020800L;
        for (double coefficient : DOUBLE_POLYNOMIAL) {
            p = Math.fma(p, r, coefficient);
        }
        return p * Double.longBitsToDouble((Double.doubleToRawLongBits(shifted) << 52) + 0x3ff0000000000000L);
    }

    /** x / (1 + e^-x). */
    public static float silu(float x) {
        return x / (1 + of(-x));
    }
}
