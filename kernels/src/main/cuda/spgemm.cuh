/*
 * Weights of 4 bits times tokens of 4 or 8 bits, on tensor cores, sparse ones for patterns that they know:
 *
 *     y [tokens, features] = fp16( f32(W . x) * (ws [feature] * xs [token]) + bias [feature] ), + residual [token, feature] as fp16 where there is one
 *
 * W.x is an exact integer, and exact as f32 where |W.x| <= 2^24: pruned to half and with 8-bit tokens for K up to 32768, which the caller checks. The tensor core's rows are features (the
 * sparse side must be its operand A), its columns tokens: the tile D [features, tokens] leaves transposed.
 *
 *     a  [features / 16][K / 128] blocks        registers of the instruction, lane by lane; how many bytes a block has
 *     e  [features / 16][K / 128] blocks        its metadata, lane by lane                  is the form's: forms.cuh
 *     x  [tokens][K / 2 or K] bytes             what a lane takes of it is the form's, too
 *
 * A thread block makes BM features x BN tokens, each warp WM x WN of it, in steps of K = 128. STAGES steps travel at once:
 *
 *     global memory --cp.async, 16 bytes--> | a: BM/16 blocks | e: BM/16 blocks | x: BN rows | x STAGES --LDS.128--> registers --mma.sp--> D
 *
 *     step k:  wait for step k's copies | barrier | start the copies of step k + STAGES - 1 over those of step k - 1 | multiply
 *
 * so one barrier a step suffices: whoever passes it has multiplied step k - 1. Fragments lie in memory as registers want them, so weights need no ldmatrix and no swizzle, and no access
 * has bank conflicts. With 4:8p a warp's step reads 40 WM + 64 WN bytes of shared memory (128 WN with 8-bit tokens; 48 WM for 2:4, 64 WM dense) for WM WN / 128 products: 64 x 64 is what registers hold, 128 of them sums.
 * Smaller tiles read more a product and are for few tokens, where weights from memory are the limit and what counts is bytes in flight.
 *
 * The features' last tile reads the last block again for those that are not there (zeros would be illegal metadata), the tokens' last tile reads zeros; neither is written.
 *
 * D's fragments hold 2 tokens of one feature: written so, each 32-byte sector of y would be half used. They pass through shared memory, rows padded by 16 bytes so that the four tokens
 * that a store meets lie in different banks, and leave as 16 bytes of 8 features.
 *
 * Few tokens make few tiles: 4096 features x 16 tokens are 64 thread blocks. There gridDim.z blocks share a tile's K, each taking as many steps one behind the other; their sums meet in
 * memory (add_up), the last of them to come writes y. A tile's sums are as many bytes as one to three of its steps.
 *
 * Bound (modelled), 4:8p: shared memory. A step of 256 x 128 has 512 cycles of products on each of an A100's four sub-cores, and 72 KB to read and to fill, 560 cycles at 128 bytes; 128 x 128
 * fills more for its size. With 8-bit tokens products take twice as long and are the bound.
 */
#pragma once

#include "forms.cuh"

struct Operands {
    const uint8_t *a;
    const uint8_t *e; /* nothing there for dense weights */
    const uint8_t *x;
    const float *ws;
    const float *xs;
    const float *bias;      /* or null */
    const __half *residual; /* or null; may be y */
    __half *y;
    uint32_t tokens;
    uint32_t features; /* a multiple of 8 */
    uint32_t steps;    /* K / 128 */
    int *sums;         /* [tiles][registers][threads], zeros, where K is shared */
    uint32_t *arrived; /* [tiles], zeros */
};

/* What a thread block makes, in warps of WM x WN, with STAGES steps under way. */
template <int M, int N, int WARP_M, int WARP_N, int DEPTH, bool SHARED_K = false> struct Tile {
    static constexpr bool SHARES_K = SHARED_K;
    enum { BM = M, BN = N, WM = WARP_M, WN = WARP_N, STAGES = DEPTH, THREADS = M / WARP_M * (N / WARP_N) * 32 };
};

/* The blocks of a thread block's features at one step, each BYTES long and `pitch` bytes apart; the last that is there stands for those that are not. */
template <int BYTES, int BLOCKS, int THREADS>
DEVICE void copy_blocks(uint32_t to, const uint8_t *from, uint32_t pitch, uint32_t last_block) {
    if constexpr (BYTES > 0) {
        constexpr int CHUNKS = BYTES / 16;
#pragma unroll
        for (uint32_t i = 0; i < BLOCKS * CHUNKS; i += THREADS) {
            const uint32_t c = i + threadIdx.x, block = min(c / CHUNKS, last_block);
            if (BLOCKS * CHUNKS % THREADS == 0 || c < BLOCKS * CHUNKS)
                copy_async(to + c * 16, from + (block * pitch + c % CHUNKS * 16));
        }
    }
}

/*
 * Adds a thread block's sums d to those of the blocks that share its tile. True for the last, which has them all then and leaves zeros for the next launch. Sums of integers are the same in
 * whatever order.
 */
template <int REGISTERS, int THREADS> DEVICE bool add_up(int (&d)[REGISTERS], const Operands &p) {
    __shared__ bool last;
    const uint32_t tile = blockIdx.y * gridDim.x + blockIdx.x;
    int *sums = p.sums + ((uint64_t)tile * REGISTERS * THREADS + threadIdx.x);
#pragma unroll
    for (int r = 0; r < REGISTERS; r++) atomicAdd(sums + r * THREADS, d[r]);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicAdd(p.arrived + tile, 1) == gridDim.z - 1;
    __syncthreads();
    if (!last) return false;
    __threadfence();
#pragma unroll
    for (int r = 0; r < REGISTERS; r++) {
        d[r] = __ldcg(sums + r * THREADS);
        sums[r * THREADS] = 0;
    }
    if (threadIdx.x == 0) p.arrived[tile] = 0;
    return true;
}

template <class Form, class Tile> DEVICE void spgemm(const Operands &p) {
    constexpr int BM = Tile::BM, BN = Tile::BN, WM = Tile::WM, WN = Tile::WN;
    constexpr int STAGES = Tile::STAGES, THREADS = Tile::THREADS;
    constexpr int A_BYTES = Form::Stored::A_BYTES, E_BYTES = Form::Stored::E_BYTES;
    constexpr int A = BM / BLOCK_FEATURES * A_BYTES, E = BM / BLOCK_FEATURES * E_BYTES, X = BN * Form::ROW_BYTES;
    constexpr int STAGE = A + E + X;
    constexpr int PITCH = BM + 8; /* halfs between two tokens of the transposed tile */
    static_assert(BN * PITCH * 2 <= STAGES * STAGE, "the transposed tile takes the place of the stages");
    extern __shared__ uint4 memory[];
    const uint32_t shared = shared_address(memory);

    const uint32_t thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
    const uint32_t warp_feature = warp % (BM / WM) * WM, warp_token = warp / (BM / WM) * WN;
    const uint32_t first_feature = blockIdx.x * BM, first_token = blockIdx.y * BN;
    /* The tile's rows of each operand at the step to load next, and the last row that is there. Within a tile 32-bit offsets do. */
    const uint32_t last_block = (p.features - first_feature - 1) / BLOCK_FEATURES, last_token = p.tokens - first_token - 1;
    const uint8_t *a = p.a + (uint64_t)(first_feature / BLOCK_FEATURES) * p.steps * A_BYTES;
    const uint8_t *e = p.e + (uint64_t)(first_feature / BLOCK_FEATURES) * p.steps * E_BYTES;
    const uint8_t *x = p.x + (uint64_t)first_token * p.steps * Form::ROW_BYTES;
    uint32_t steps = p.steps;
    if constexpr (Tile::SHARES_K) { /* this block's part of them */
        const uint32_t first = p.steps * blockIdx.z / gridDim.z;
        steps = p.steps * (blockIdx.z + 1) / gridDim.z - first;
        a += first * A_BYTES;
        e += first * E_BYTES;
        x += first * Form::ROW_BYTES;
    }

    auto load = [&](uint32_t slot) {
        const uint32_t to = shared + slot * STAGE;
        copy_blocks<A_BYTES, BM / BLOCK_FEATURES, THREADS>(to, a, p.steps * A_BYTES, last_block);
        copy_blocks<E_BYTES, BM / BLOCK_FEATURES, THREADS>(to + A, e, p.steps * E_BYTES, last_block);
#pragma unroll
        for (uint32_t i = 0; i < X / 16; i += THREADS) {
            constexpr int CHUNKS = Form::ROW_BYTES / 16;
            const uint32_t c = i + thread, row = c / CHUNKS, chunk = c % CHUNKS;
            if (X / 16 % THREADS == 0 || c < X / 16)
                copy_async_or_zero(to + A + E + Form::place(row, chunk),
                                   x + (row * p.steps * Form::ROW_BYTES + chunk * 16), row <= last_token);
        }
        a += A_BYTES;
        e += E_BYTES;
        x += Form::ROW_BYTES;
    };

    int d[WM / 16][WN / 8][4] = {};
    auto multiply = [&](uint32_t slot) {
        const uint32_t a = shared + slot * STAGE, e = a + A, x = e + E;
        typename Form::Stored stored[WM / 16];
#pragma unroll
        for (int i = 0; i < WM / 16; i++) {
            const uint32_t block = warp_feature / BLOCK_FEATURES + i;
            stored[i] = Form::Stored::shared(a + block * A_BYTES, e + block * E_BYTES, lane);
        }
#pragma unroll
        for (int round = 0; round < Form::ROUNDS; round++) {
            typename Form::Weights weights[WM / 16];
#pragma unroll
            for (int i = 0; i < WM / 16; i++) weights[i] = Form::weights(stored[i], round);
#pragma unroll
            for (int j = 0; j < WN / 8; j++) {
                const auto tokens = Form::tokens(x + (warp_token + 8 * j) * Form::ROW_BYTES, round, lane);
#pragma unroll
                for (int i = 0; i < WM / 16; i++) Form::multiply(d[i][j], weights[i], tokens);
            }
        }
    };

    for (uint32_t step = 0; step < STAGES - 1; step++) {
        if (step < steps) load(step);
        commit_copies();
    }
    for (uint32_t step = 0, slot = 0; step < steps; step++) {
        await_copies<STAGES - 2>();
        __syncthreads();
        const uint32_t next = slot == 0 ? STAGES - 1 : slot - 1;
        if (step + STAGES - 1 < steps) load(next);
        commit_copies();
        multiply(slot);
        slot = slot == STAGES - 1 ? 0 : slot + 1;
    }
    __syncthreads(); /* all have read the last stage; the copies behind it are empty groups */
    if constexpr (Tile::SHARES_K)
        if (gridDim.z > 1 && !add_up<WM / 16 * (WN / 8) * 4, THREADS>((int(&)[WM / 16 * (WN / 8) * 4]) d, p)) return;

    const uint32_t g = lane / 4, t = lane % 4;
    float xs[WN / 8][2];
#pragma unroll
    for (int j = 0; j < WN / 8; j++)
#pragma unroll
        for (int k = 0; k < 2; k++)
            xs[j][k] = __ldg(p.xs + min(first_token + warp_token + 8 * j + 2 * t + k, p.tokens - 1)) * Form::UNIT;
#pragma unroll
    for (int i = 0; i < WM / 16; i++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const uint32_t row = warp_feature + 16 * i + 8 * half + g, feature = min(first_feature + row, p.features - 1);
            const float ws = __ldg(p.ws + feature), bias = p.bias ? __ldg(p.bias + feature) : 0;
#pragma unroll
            for (int j = 0; j < WN / 8; j++) {
#pragma unroll
                for (int k = 0; k < 2; k++) {
                    const float y = __fmul_rn((float)d[i][j][2 * half + k], __fmul_rn(ws, xs[j][k]));
                    const uint32_t column = warp_token + 8 * j + 2 * t + k;
                    store_shared(shared + (column * PITCH + row) * 2, __float2half_rn(__fadd_rn(y, bias)));
                }
            }
        }
    }
    __syncthreads();

    constexpr int CHUNKS = BM / 8;
#pragma unroll 4
    for (uint32_t c = thread; c < BN * CHUNKS; c += THREADS) {
        const uint32_t token = first_token + c / CHUNKS, feature = first_feature + c % CHUNKS * 8;
        if (token < p.tokens && feature < p.features) {
            const uint64_t at = (uint64_t)token * p.features + feature;
            uint4 eight = load_shared_16(shared + (c / CHUNKS * PITCH + c % CHUNKS * 8) * 2);
            if (p.residual) {
                const uint4 others = *(const uint4 *)(p.residual + at);
                __half2 *y = (__half2 *)&eight;
                const __half2 *r = (const __half2 *)&others;
#pragma unroll
                for (int k = 0; k < 4; k++) y[k] = __hadd2_rn(y[k], r[k]);
            }
            *(uint4 *)(p.y + at) = eight;
        }
    }
}

/* One entry of a module; BLOCKS is how many of its thread blocks a multiprocessor shall hold at least. */
#define SPGEMM(NAME, FORM, TILE, BLOCKS)                                                                               \
    extern "C" __global__ void __launch_bounds__(TILE::THREADS, BLOCKS)                                                \
        NAME(const uint8_t *a, const uint8_t *e, const uint8_t *x, const float *ws, const float *xs,                   \
             const float *bias, const __half *residual, __half *y, uint32_t tokens, uint32_t features,                 \
             uint32_t steps, int *sums, uint32_t *arrived) {                                                           \
        spgemm<FORM, TILE>({a, e, x, ws, xs, bias, residual, y, tokens, features, steps, sums, arrived});              \
    }
