/*
 * RMS norm of activations that stay half floats: before a model's head.
 *
 *     y = fp16( x * (1 / sqrt(sum x^2 / K + eps)) * weight )        x [tokens][K] fp16 -> y [tokens][K] fp16, weight [K] f32
 *
 * Thread blocks, units and the order of the sum are those of rmsnorm_quant.cu: one block a token, which it reads once, 16 bytes a thread at a time.
 *
 * Limits: K a multiple of 8, up to 32 T: 8192 with 256 threads, 32768 with 1024. Bound: bytes, 4 K a token and the weight; nothing next to the head.
 */
#include "token_codes.cuh"

DEVICE void rmsnorm(const __half *x, const float *weight, float eps, uint4 *y, uint32_t columns) {
    __shared__ float squares[1][LANES];
    const uint32_t units = columns / UNIT;
    x += (uint64_t)blockIdx.x * columns;
    y += (uint64_t)blockIdx.x * units;
    float h[UNITS][UNIT] = {};
    float sum[1] = {};
#pragma unroll
    for (int i = 0; i < UNITS; i++) {
        const uint32_t unit = threadIdx.x + i * blockDim.x;
        if (unit < units) load(x + unit * UNIT, h[i]);
#pragma unroll
        for (int k = 0; k < UNIT; k++) sum[0] = __fmaf_rn(h[i][k], h[i][k], sum[0]);
    }
    add_up(sum, squares);
    const float norm = __frcp_rn(__fsqrt_rn(__fadd_rn(__fdiv_rn(sum[0], (float)columns), eps)));
#pragma unroll
    for (int i = 0; i < UNITS; i++) {
        const uint32_t unit = threadIdx.x + i * blockDim.x;
        if (unit < units) {
            float w[UNIT];
            load(weight + unit * UNIT, w);
            uint4 eight;
            __half2 *pairs = (__half2 *)&eight;
#pragma unroll
            for (int k = 0; k < UNIT; k += 2)
                pairs[k / 2] = __floats2half2_rn(__fmul_rn(__fmul_rn(h[i][k], norm), w[k]),
                                                 __fmul_rn(__fmul_rn(h[i][k + 1], norm), w[k + 1]));
            y[unit] = eight;
        }
    }
}

#define RMSNORM(NAME, INPUT)                                                                                           \
    extern "C" __global__ void __launch_bounds__(1024)                                                                 \
        NAME(const INPUT *x, const float *weight, float eps, INPUT *y, uint32_t columns) {                             \
        rmsnorm(x, weight, eps, (uint4 *)y, columns);                                                                  \
    }

RMSNORM(rmsnorm_f16, __half) // registers <= 64
