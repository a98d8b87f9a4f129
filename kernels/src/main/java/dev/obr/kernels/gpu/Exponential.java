package dev.obr.kernels.gpu;

/** e^x as the kernels compute it ({@code exponential.cuh}), to the bit: of fused multiply-adds, within 2 units of rounding. */
public final class Exponential {
    private static final float ROUNDING = 0x1.8p23f; // what is added to it keeps a whole number in its low bits
    private static final float[] POLYNOMIAL = {1f / 720, 1f / 120, 1f / 24, 1f / 6, 0.5f, 1, 1};

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

    /** x / (1 + e^-x). */
    public static float silu(float x) {
        return x / (1 + of(-x));
    }
}
