/*
 * Activations before a linear layer: RMS norm where there is a weight, then codes of 4 or 8 bits with one scale a token.
 *
 *     h = x * (1 / sqrt(sum x^2 / K + eps)) * weight
 *     scale = fp16(clip * max|h| / q), 1 where that is 0      q = 7 or 127
 *     code = clamp(rint(h / scale), -q - 1, q)                4 bits, clip 0: of 1, 0.8, 0.65 and 0.5 the one with the least sum (h - scale * code)^2, the largest of equals
 *
 * x [tokens][K] fp16 or f32 -> codes [tokens][K / 2 or K], columns after the last as zeros up to a whole step of 128, and scales [tokens] f32 (each a half float's value)
 *
 *     4 bits    natural order, element 2i in the low half of byte i
 *     1 byte    for each step 64 bytes of even columns, 64 of odd ones; in both, 4 bytes of chunk m = 4 (n % 4) + n / 4 stand for the 8-column chunk n (forms.cuh)
 *
 * One thread block a token. Thread t of T holds units t, t + T, t + 2 T, t + 3 T of 8 columns in registers from the one read to the one write: 16 bytes in, 4 bytes or twice 4 out,
 * neighbours beside each other; 8 floats are two reads of half sectors, the second of them from L1. K is a multiple of 8, up to 32 T: 8192 with 256 threads, 32768 with 1024.
 *
 * Where the layer's columns stand in another order, its codes do: j is that of column order[j]. They then pass through shared memory, a byte each, written as 8 beside each other and read one
 * by one, wherever the order has them: some 3.5 of 32 reads meet in a bank, 500 cycles more for a token of 4096 columns.
 *
 * Sums are taken in one order, so that a scalar twin finds the same codes: a thread over its units and columns ascending, each step one fused multiply-add; the 32 lanes of a warp by
 * butterflies, that is, halves of 16, 8, 4, 2, 1; so the warps (32, with zeros for those that are not there). Candidates for the clip are compared by h * (1 / scale), the codes come from
 * the division: the two round differently only where a value is halfway between codes, and both errors are the same.
 *
 * No numbers pass: max|h| is taken on bits, where they are the largest, and makes scale and product no number.
 *
 * Bound (modelled): the bytes of x and codes; at K = 4096 and 2048 tokens 21 MB, 10 us of an A100's memory, next to some 60 instructions a column of four candidates.
 */
#include "token_codes.cuh"

template <class Input, class Codes>
DEVICE void rmsnorm_quant(const Input *x, const float *weight, float eps, int most, float clip, const uint16_t *order,
                          uint8_t *codes, float *scales, uint32_t columns, uint32_t row_bytes) {
    extern __shared__ uint2 memory[]; // where there is an order
    __shared__ float squares[1][LANES];
    const uint32_t units = columns / UNIT;
    x += (uint64_t)blockIdx.x * columns;
    float h[UNITS][UNIT] = {};
#pragma unroll
    for (int i = 0; i < UNITS; i++) {
        const uint32_t unit = threadIdx.x + i * blockDim.x;
        if (unit < units) load(x + unit * UNIT, h[i]);
    }

    if (weight) {
        float sum[1] = {};
#pragma unroll
        for (int i = 0; i < UNITS; i++)
#pragma unroll
            for (int k = 0; k < UNIT; k++) sum[0] = __fmaf_rn(h[i][k], h[i][k], sum[0]);
        add_up(sum, squares);
        const float norm = __frcp_rn(__fsqrt_rn(__fadd_rn(__fdiv_rn(sum[0], (float)columns), eps)));
#pragma unroll
        for (int i = 0; i < UNITS; i++) {
            const uint32_t unit = threadIdx.x + i * blockDim.x;
            if (unit < units) {
                float w[UNIT];
                load(weight + unit * UNIT, w);
#pragma unroll
                for (int k = 0; k < UNIT; k++) h[i][k] = __fmul_rn(__fmul_rn(h[i][k], norm), w[k]);
            }
        }
    }

    quantize<Codes>(h, most, clip, order, (uint8_t *)memory, codes, scales, columns, row_bytes);
}

/* One entry: weight and order may be null; most = 7 or 127, clip = 0 for the search. */
#define RMSNORM_QUANT(NAME, INPUT, CODES)                                                                              \
    extern "C" __global__ void __launch_bounds__(1024)                                                                 \
        NAME(const INPUT *x, const float *weight, float eps, int most, float clip, const uint16_t *order,              \
             uint8_t *codes, float *scales, uint32_t columns, uint32_t row_bytes) {                                    \
        rmsnorm_quant<INPUT, CODES>(x, weight, eps, most, clip, order, codes, scales, columns, row_bytes);             \
    }

RMSNORM_QUANT(rmsnorm_quant_f16_s4, __half, Int4Codes) // registers <= 64
RMSNORM_QUANT(rmsnorm_quant_f16_s8, __half, Int8Codes) // registers <= 64
RMSNORM_QUANT(rmsnorm_quant_f32_s4, float, Int4Codes)  // registers <= 64
RMSNORM_QUANT(rmsnorm_quant_f32_s8, float, Int8Codes)  // registers <= 64
