/*
 * The product of spgemm.cuh for up to 8 tokens: one column tile of the tensor core, of which each weight is read once and nothing else takes time.
 *
 * A thread block makes 16 features x 8 tokens; its WARPS warps share the steps of K = 128, the block's w-th taking steps w, w + WARPS, .. so that they read 4 KB + 1 KB beside each other.
 * Weights go from memory to registers: lane l's 16 bytes of a block are its operand. AHEAD steps of each warp are under way,
 * 2.5 KB; only registers that live from one round of the loop to the next make the assembler ask before it multiplies.
 *
 *     warp 0   | step 0 | 8 | 16 | 24 |  asked for, then: multiply 0, ask for 32; multiply 8, ask for 40; ..
 *     warp 1   | step 1 | 9 | 17 | 25 |  ..
 *
 * Tokens of one byte come by 16 bytes a register, half sectors whose other halves are taken from L1: next to 640 bytes of weights a step that is nothing.
 *
 * The warps' sums of whole numbers meet in shared memory, [warp][register][lane] with a register's 32 lanes 33 words apart: both the lanes' stores and the loads of a token's 16 features
 * then meet all banks. 16 features of a token are one sector of y.
 *
 * Bound (modelled): 2.5 bits a weight; 4096 x 4096 are 5.2 MB, 2.6 us of an A100's memory. 256 blocks of 8 warps have 5.2 MB under way, four times what its latency asks for.
 */
#pragma once

#include "spgemm.cuh"

enum { SUM_PITCH = 33, SUM_WORDS = 4 * SUM_PITCH };

/* The thread block's y [8 TILES tokens, 16 features] from what its warps have of each tile; sums: WARPS TILES SUM_WORDS words that nobody reads any more. */
template <int WARPS, int TILES>
DEVICE void add_up_and_store(int *sums, const int (&d)[TILES][4], float unit, const Operands &p) {
    const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const uint32_t first_token = blockIdx.y * TILES * 8;
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int r = 0; r < 4; r++) sums[(warp * TILES + tile) * SUM_WORDS + r * SUM_PITCH + lane] = d[tile][r];
    __syncthreads();

    /* D: register r of lane (g, t) is feature g + 8 (r / 2), token 2 t + r % 2 */
    const uint32_t row = threadIdx.x % 16, feature = blockIdx.x * BLOCK_FEATURES + row;
    if (feature >= p.features) return;
    for (uint32_t column = threadIdx.x / 16; column < TILES * 8 && first_token + column < p.tokens; column += WARPS * 2) {
        const uint32_t word = column / 8 * SUM_WORDS + (row / 8 * 2 + column % 2) * SUM_PITCH + row % 8 * 4 + column % 8 / 2;
        int sum = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++) sum += sums[w * TILES * SUM_WORDS + word];
        const float xs = __ldg(p.xs + first_token + column) * unit, bias = p.bias ? __ldg(p.bias + feature) : 0;
        const float value = __fmul_rn((float)sum, __fmul_rn(__ldg(p.ws + feature), xs));
        const uint64_t at = (uint64_t)(first_token + column) * p.features + feature;
        __half y = __float2half_rn(__fadd_rn(value, bias));
        if (p.residual) y = __hadd_rn(y, p.residual[at]);
        p.y[at] = y;
    }
}

template <class Form> DEVICE void spgemv(const Operands &p) {
    enum { WARPS = 8, AHEAD = 4, TOKENS = 8 };
    __shared__ int sums[WARPS * SUM_WORDS];
    constexpr int A_BYTES = Form::Stored::A_BYTES, E_BYTES = Form::Stored::E_BYTES;
    const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const uint32_t first_token = blockIdx.y * TOKENS, token = first_token + lane / 4;
    const uint8_t *a = p.a + (uint64_t)blockIdx.x * p.steps * A_BYTES;
    const uint8_t *e = p.e + (uint64_t)blockIdx.x * p.steps * E_BYTES;
    const uint8_t *x = p.x + (uint64_t)min(token, p.tokens - 1) * p.steps * Form::ROW_BYTES;

    typename Form::Stored stored[AHEAD] = {};
    typename Form::Tokens tokens[AHEAD][Form::ROUNDS] = {};
    auto load = [&](uint32_t slot, uint32_t step) {
        if (step < p.steps) {
            stored[slot] = Form::Stored::once(a + step * A_BYTES, e + step * E_BYTES, lane);
#pragma unroll
            for (int round = 0; round < Form::ROUNDS; round++)
                tokens[slot][round] = Form::tokens_of(x + step * Form::ROW_BYTES, round, lane % 4);
        }
    };
#pragma unroll
    for (uint32_t i = 0; i < AHEAD; i++) load(i, warp + i * WARPS);

    int d[1][4] = {};
    for (uint32_t first = warp; first < p.steps; first += WARPS * AHEAD) {
#pragma unroll
        for (uint32_t i = 0; i < AHEAD; i++) {
            if (first + i * WARPS < p.steps)
#pragma unroll
                for (int round = 0; round < Form::ROUNDS; round++)
                    Form::multiply(d[0], Form::weights(stored[i], round), tokens[i][round]);
            load(i, first + (i + AHEAD) * WARPS);
        }
    }
    add_up_and_store<WARPS, 1>(sums, d, Form::UNIT, p);
}

#define SPGEMV(NAME, FORM)                                                                                             \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        NAME(const uint8_t *a, const uint8_t *e, const uint8_t *x, const float *ws, const float *xs,                   \
             const float *bias, const __half *residual, __half *y, uint32_t tokens, uint32_t features, uint32_t steps) { \
        spgemv<FORM>({a, e, x, ws, xs, bias, residual, y, tokens, features, steps});                                   \
    }
