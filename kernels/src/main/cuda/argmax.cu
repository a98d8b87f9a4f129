/*
 * The token of the largest logit in each row, the first of equals: logits [rows][stride] fp16 or f32, of which the first `vocabulary` of a row count -> tokens [rows].
 *
 * One thread block a row, its threads side by side through it. A logit and its place are one number of 64 bits, (bits of the float, made to ascend as it does) : (all ones - place), so that
 * the largest of them is found by comparisons in whatever order. -0 counts as 0. No numbers rank by their bits.
 *
 *     bits of a float   0 .. 2^31 - 1: set bit 31          2^31 ..: invert all
 *
 * Bound (modelled): the row's bytes through one multiprocessor: 128 000 floats, 0.5 MB, some 10 us; the product that makes them reads a thousand times that.
 */
#include "instructions.cuh"

enum { LANES = 32 };

DEVICE float number(__half x) { return __half2float(x); }
DEVICE float number(float x) { return x; }

DEVICE uint64_t largest_of_warp(uint64_t v) {
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) v = max(v, __shfl_xor_sync(0xffffffff, v, mask));
    return v;
}

template <class Input> DEVICE void argmax(const Input *logits, int *tokens, uint32_t vocabulary, uint32_t stride) {
    __shared__ uint64_t warps[LANES];
    const uint32_t lane = threadIdx.x % LANES;
    logits += (uint64_t)blockIdx.x * stride;
    uint64_t largest = 0;
#pragma unroll 4
    for (uint32_t i = threadIdx.x; i < vocabulary; i += blockDim.x) {
        const uint32_t bits = __float_as_uint(__fadd_rn(number(__ldg(logits + i)), 0));
        const uint32_t rank = bits >> 31 ? ~bits : bits | 1u << 31;
        largest = max(largest, (uint64_t)rank << 32 | ~i);
    }
    largest = largest_of_warp(largest);
    if (lane == 0) warps[threadIdx.x / LANES] = largest;
    __syncthreads();
    if (threadIdx.x < LANES) {
        largest = largest_of_warp(lane < blockDim.x / LANES ? warps[lane] : 0);
        if (lane == 0) tokens[blockIdx.x] = ~(uint32_t)largest;
    }
}

#define ARGMAX(NAME, INPUT)                                                                                            \
    extern "C" __global__ void __launch_bounds__(1024)                                                                 \
        NAME(const INPUT *logits, int *tokens, uint32_t vocabulary, uint32_t stride) {                                 \
        argmax<INPUT>(logits, tokens, vocabulary, stride);                                                             \
    }

ARGMAX(argmax_f16, __half) // registers <= 32
ARGMAX(argmax_f32, float)  // registers <= 32
