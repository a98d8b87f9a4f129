/*
 * Half floats times half floats, summed as f32: the head of a model, and what compressed weights are compared with.
 *
 *     y [tokens, features] = W . x        W [features][K], x [tokens][K] fp16, rows as a file has them; y f32 or fp16; K a multiple of 8, features of 4
 *
 * A thread block makes BM features x BN tokens, each warp WM x WN of it, in steps of K = 32, STAGES of which travel at once as in spgemm.cuh: wait, barrier, start the copies of the step
 * STAGES - 1 ahead, multiply.
 *
 *     a stage    | W: BM rows of 64 bytes | x: BN rows |     16-byte chunk c of row r lies at c ^ (r / 2 % 4): 8 rows of one chunk are in all banks, so are the 4 chunks of 2 rows
 *
 * Rows become operands by ldmatrix: of W 16 rows x 16 columns, of x 8 rows x 32. Rows after the last feature or token and columns after K are zeros, which are no part of a sum.
 *
 * A sum's order: a tensor core's within 16 columns, ascending otherwise. y leaves by way of shared memory, 32 tokens at a time as f32 in rows padded by 16 bytes,
 * in pieces of 4 features.
 *
 * Bound (modelled): a step of 128 x 128 is 256 products of 2048 multiply-adds, 8 cycles each on one of an A100's four sub-cores: 512 cycles, next to 16 KB of copies and 32 KB of reads, 384 at 128 bytes. For
 * few tokens the bytes of W.
 */
#include "instructions.cuh"

enum { STEP = 32, ROW_BYTES = STEP * 2, CHUNKS = ROW_BYTES / 16 };

DEVICE uint32_t place(uint32_t row, uint32_t chunk) { return row * ROW_BYTES + (chunk ^ (row / 2 % 4)) * 16; }

/* One step of ROWS rows; zeros where there is nothing. */
template <int ROWS, int THREADS>
DEVICE void copy_rows(uint32_t to, const __half *from, uint32_t columns, uint32_t column, uint32_t rows) {
#pragma unroll
    for (uint32_t i = 0; i < ROWS * CHUNKS; i += THREADS) {
        const uint32_t c = i + threadIdx.x, row = c / CHUNKS, first = column + c % CHUNKS * 8;
        if (ROWS * CHUNKS % THREADS == 0 || c < ROWS * CHUNKS) {
            const bool there = row < rows && first < columns;
            copy_async_or_zero(to + place(row, c % CHUNKS), there ? from + (uint64_t)row * columns + first : from, there);
        }
    }
}

DEVICE void store_four(float *to, float4 y) { *(float4 *)to = y; }

DEVICE void store_four(__half *to, float4 y) {
    const __half2 pairs[2] = {__floats2half2_rn(y.x, y.y), __floats2half2_rn(y.z, y.w)};
    *(uint2 *)to = *(const uint2 *)pairs;
}

template <class Output, int BM, int BN, int WM, int WN, int STAGES>
DEVICE void gemm_f16(const __half *w, const __half *x, Output *y, uint32_t tokens, uint32_t features, uint32_t columns) {
    constexpr int THREADS = BM / WM * (BN / WN) * 32, W = BM * ROW_BYTES, STAGE = W + BN * ROW_BYTES;
    constexpr int PITCH = BM + 4, PIECE = BN < 32 ? BN : 32; /* floats between two tokens of the transposed tile, tokens of it at once */
    static_assert(PIECE * PITCH * 4 <= STAGES * STAGE, "the transposed piece takes the place of the stages");
    extern __shared__ uint4 memory[];
    const uint32_t shared = shared_address(memory);
    const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const uint32_t warp_feature = warp % (BM / WM) * WM, warp_token = warp / (BM / WM) * WN;
    const uint32_t first_feature = blockIdx.x * BM, first_token = blockIdx.y * BN, steps = (columns + STEP - 1) / STEP;
    w += (uint64_t)first_feature * columns;
    x += (uint64_t)first_token * columns;

    auto load = [&](uint32_t slot, uint32_t step) {
        if (step < steps) {
            copy_rows<BM, THREADS>(shared + slot * STAGE, w, columns, step * STEP, features - first_feature);
            copy_rows<BN, THREADS>(shared + slot * STAGE + W, x, columns, step * STEP, tokens - first_token);
        }
        commit_copies();
    };
    for (uint32_t step = 0; step < STAGES - 1; step++) load(step, step);

    float d[WM / 16][WN / 8][4] = {};
    for (uint32_t step = 0, slot = 0; step < steps; step++) {
        await_copies<STAGES - 2>();
        __syncthreads();
        load(slot == 0 ? STAGES - 1 : slot - 1, step + STAGES - 1);
        const uint32_t from = shared + slot * STAGE;
        /* matrix m of a load: rows 8 (m % 2) .. of W and chunk m / 2 of the half, or chunk m of x */
        uint4 weights[2][WM / 16];
#pragma unroll
        for (int half = 0; half < 2; half++)
#pragma unroll
            for (int i = 0; i < WM / 16; i++)
                weights[half][i] = load_matrices(from + place(warp_feature + 16 * i + lane % 16, 2 * half + lane / 16));
#pragma unroll
        for (int j = 0; j < WN / 8; j++) {
            const uint4 b = load_matrices(from + W + place(warp_token + 8 * j + lane % 8, lane / 8));
#pragma unroll
            for (int i = 0; i < WM / 16; i++) {
                multiply_f16(d[i][j], weights[0][i], b.x, b.y);
                multiply_f16(d[i][j], weights[1][i], b.z, b.w);
            }
        }
        slot = slot == STAGES - 1 ? 0 : slot + 1;
    }

    const uint32_t g = lane / 4, t = lane % 4;
    float *tile = (float *)memory;
#pragma unroll
    for (int piece = 0; piece < BN; piece += PIECE) {
        __syncthreads(); /* all have read what the piece is written over */
#pragma unroll
        for (int j = 0; j < WN / 8; j++) {
            const uint32_t token = warp_token + 8 * j;
            if (token / PIECE == piece / PIECE)
#pragma unroll
                for (int i = 0; i < WM / 16; i++)
#pragma unroll
                    for (int r = 0; r < 4; r++)
                        tile[(token % PIECE + 2 * t + r % 2) * PITCH + warp_feature + 16 * i + 8 * (r / 2) + g] = d[i][j][r];
        }
        __syncthreads();
        for (uint32_t c = threadIdx.x; c < PIECE * BM / 4; c += THREADS) {
            const uint32_t row = c / (BM / 4), column = c % (BM / 4) * 4;
            const uint32_t token = first_token + piece + row, feature = first_feature + column;
            if (token < tokens && feature < features)
                store_four(y + (uint64_t)token * features + feature, *(const float4 *)&tile[row * PITCH + column]);
        }
    }
}

#define GEMM_F16(NAME, OUTPUT, BM, BN, WM, WN, STAGES)                                                                 \
    extern "C" __global__ void __launch_bounds__(BM / WM *(BN / WN) * 32)                                              \
        NAME(const __half *w, const __half *x, OUTPUT *y, uint32_t tokens, uint32_t features, uint32_t columns) {      \
        gemm_f16<OUTPUT, BM, BN, WM, WN, STAGES>(w, x, y, tokens, features, columns);                                  \
    }

GEMM_F16(gemm_f16_f16_128x128, __half, 128, 128, 64, 64, 4) // registers <= 255
GEMM_F16(gemm_f16_f16_64x16, __half, 64, 16, 16, 16, 6)     // registers <= 64
GEMM_F16(gemm_f16_f32_128x128, float, 128, 128, 64, 64, 4)  // registers <= 255
GEMM_F16(gemm_f16_f32_64x16, float, 64, 16, 16, 16, 6)      // registers <= 64
