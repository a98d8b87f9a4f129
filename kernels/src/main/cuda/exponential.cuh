/* e^x of fused multiply-adds alone, whose bits are the same on every device, in the emulator and in Java (dev.obr.kernels.gpu.Exponential); ex2.approx has no such promise. */
#pragma once

#include "instructions.cuh"

/* Within 2 units of rounding. x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7; 2^n from its exponent. From -87 to 88; what is beyond is as these, and no number as -87. */
DEVICE float exponential(float x) {
    const float clamped = fminf(fmaxf(x, -87), 88);
    const float shifted = __fmaf_rn(clamped, 1.44269504f, 0x1.8p23f); // rounds to a whole number, in the low bits
    const float n = __fsub_rn(shifted, 0x1.8p23f);
    const float r = __fmaf_rn(n, -0x1.7f7d1cp-20f, __fmaf_rn(n, -0x1.62e4p-1f, clamped)); // ln 2 in two parts
    float p = __fmaf_rn(r, 1.0f / 5040, 1.0f / 720);
    p = __fmaf_rn(p, r, 1.0f / 120);
    p = __fmaf_rn(p, r, 1.0f / 24);
    p = __fmaf_rn(p, r, 1.0f / 6);
    p = __fmaf_rn(p, r, 0.5f);
    p = __fmaf_rn(p, r, 1);
    p = __fmaf_rn(p, r, 1);
    return __fmul_rn(p, __uint_as_float((__float_as_uint(shifted) << 23) + 0x3f800000));
}
