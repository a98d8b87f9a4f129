/*
 * A model's head whose weights are codes of 8 or 4 bits, times half floats, for few tokens:
 *
 *     y [tokens, features] f32 = ( codes [feature] . x [token] ) * ws [feature]        x [tokens][K] fp16, sums f32, K a multiple of 16
 *
 * Codes lie as in a packed file, in rows; bytes, or nibbles of which the first is the low one. A code is exact as a half float: in the low bits of 1024's mantissa, less 1024 and what made it
 * positive.
 *
 *     8 bits    0x6400 | code + 128   - 1152        4 bits    0x6400 | code + 8   - 1032
 *
 * A thread block makes 32 features x 8 TILES tokens, its 8 warps share K in steps of 64 columns: warp w takes steps w, w + 8, .. which lie beside each other in each row. In which order a
 * tensor core meets the columns is the same to a sum, so lane (g, t) takes what lies together: 16 columns of rows g, g + 8, g + 16 and g + 24 and of token g, for four products m16n8k16 of
 * 4 columns a lane.
 *
 *     row g of a step   | t = 0: columns 0 .. 15 | t = 1: 16 .. 31 | t = 2 | t = 3 |        product q: columns 16 t + 4 q .. + 3
 *     8 bits: 64 bytes, 16 a lane       4 bits: 32 bytes, 8 a lane; a word's nibbles n and n + 4 become a pair, and tokens' likewise
 *
 * The steps of a warp's next AHEAD rounds are under way. Tokens come as two times 16 bytes, half sectors whose other halves are taken from L1. Rows after the last are the last, columns after K
 * zeros. Sums of the warps meet in shared memory and are added in the warps' order: within 16 columns the order is the tensor core's own, otherwise one.
 *
 * Bound (modelled): bytes of codes, 128 256 x 4096 of 8 bits are 525 MB, 338 us of an A100's memory. A step of a warp is 2 KB, 200 cycles of a multiprocessor's part of it, next to some 110
 * instructions; its block reads half as many bytes of 8 tokens, from L2. More than 32 tokens read the codes again for each 32.
 */
#include "instructions.cuh"

enum { WARPS = 8, AHEAD = 2, STEP = 64, LANE_COLUMNS = 16, PRODUCTS = 4, FEATURES = 32, BLOCKS = FEATURES / 16 };

/* Words of shared memory of a register's 32 lanes and of a product's 4 registers: 32 features of a token are in all banks. */
enum { SUM_PITCH = 33, SUM_WORDS = 4 * SUM_PITCH + 1 };

/* 16 half floats of a token. */
struct Token {
    uint32_t pairs[LANE_COLUMNS / 2];

    DEVICE static Token at(const __half *x, bool there) {
        const uint4 none = make_uint4(0, 0, 0, 0);
        const uint4 a = there ? __ldg((const uint4 *)x) : none, b = there ? __ldg((const uint4 *)x + 1) : none;
        return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
    }
};

DEVICE uint32_t less(uint32_t pair, uint32_t offset) {
    const __half2 difference = __hsub2(*(const __half2 *)&pair, *(const __half2 *)&offset);
    return *(const uint32_t *)&difference;
}

/* What a lane has of a row, and the four halves of it that product q takes. */
struct Bytes {
    enum { BITS = 8 };
    uint4 words;

    DEVICE static Bytes at(const uint8_t *row, bool there) {
        return {there ? load_once_16(row) : make_uint4(0, 0, 0, 0)};
    }
    DEVICE uint2 halves(int q) const {
        const uint32_t word = (q == 0 ? words.x : q == 1 ? words.y : q == 2 ? words.z : words.w) ^ 0x80808080;
        return make_uint2(less(__byte_perm(word, 0x64646464, 0x4140), 0x64806480),
                          less(__byte_perm(word, 0x64646464, 0x4342), 0x64806480));
    }
    DEVICE static uint2 halves(const Token &x, int q) { return make_uint2(x.pairs[2 * q], x.pairs[2 * q + 1]); }
};

struct Nibbles {
    enum { BITS = 4 };
    uint2 words;

    DEVICE static Nibbles at(const uint8_t *row, bool there) { return {there ? load_once_8(row) : make_uint2(0, 0)}; }
    DEVICE uint2 halves(int q) const {
        const uint32_t word = (q < 2 ? words.x : words.y) >> 8 * (q % 2);
        return make_uint2(less((word & 0x000f000f) ^ 0x64086408, 0x64086408),
                          less((word >> 4 & 0x000f000f) ^ 0x64086408, 0x64086408));
    }
    DEVICE static uint2 halves(const Token &x, int q) {
        const uint32_t low = x.pairs[q / 2 * 4 + q % 2], high = x.pairs[q / 2 * 4 + q % 2 + 2];
        return make_uint2(__byte_perm(low, high, 0x5410), __byte_perm(low, high, 0x7632));
    }
};

template <class Codes, int TILES>
DEVICE void gemm_codes(const uint8_t *codes, const float *ws, const __half *x, float *y, uint32_t tokens, uint32_t features,
                       uint32_t columns) {
    __shared__ float sums[WARPS * TILES * BLOCKS * SUM_WORDS];
    const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const uint32_t first_feature = blockIdx.x * FEATURES, first_token = blockIdx.y * TILES * 8;
    const uint32_t row_bytes = columns * Codes::BITS / 8, steps = (columns + STEP - 1) / STEP;
    codes += (uint64_t)first_feature * row_bytes;
    x += (uint64_t)first_token * columns;

    Codes rows[AHEAD][2 * BLOCKS];
    Token some[AHEAD][TILES];
    auto load = [&](uint32_t slot, uint32_t step) {
        const uint32_t column = step * STEP + t * LANE_COLUMNS;
        const bool there = column < columns;
#pragma unroll
        for (int i = 0; i < 2 * BLOCKS; i++) {
            const uint32_t row = min(8 * i + g, features - 1 - first_feature);
            rows[slot][i] = Codes::at(codes + (row * row_bytes + column * Codes::BITS / 8), there);
        }
#pragma unroll
        for (int j = 0; j < TILES; j++) {
            const uint32_t token = min(8 * j + g, tokens - 1 - first_token);
            some[slot][j] = Token::at(x + (token * columns + column), there);
        }
    };
#pragma unroll
    for (uint32_t i = 0; i < AHEAD; i++) load(i, warp + i * WARPS);

    float d[TILES][BLOCKS][4] = {};
    for (uint32_t first = warp; first < steps; first += WARPS * AHEAD) {
#pragma unroll
        for (uint32_t i = 0; i < AHEAD; i++) {
#pragma unroll
            for (int q = 0; q < PRODUCTS; q++) {
#pragma unroll
                for (int b = 0; b < BLOCKS; b++) {
                    const uint2 low = rows[i][2 * b].halves(q), high = rows[i][2 * b + 1].halves(q);
#pragma unroll
                    for (int j = 0; j < TILES; j++) {
                        const uint2 token = Codes::halves(some[i][j], q);
                        multiply_f16(d[j][b], make_uint4(low.x, high.x, low.y, high.y), token.x, token.y);
                    }
                }
            }
            load(i, first + (i + AHEAD) * WARPS);
        }
    }

#pragma unroll
    for (int j = 0; j < TILES; j++)
#pragma unroll
        for (int b = 0; b < BLOCKS; b++)
#pragma unroll
            for (int r = 0; r < 4; r++)
                sums[((warp * TILES + j) * BLOCKS + b) * SUM_WORDS + r * SUM_PITCH + lane] = d[j][b][r];
    __syncthreads();

    /* register r of lane (g, t) is feature g + 8 (r / 2), token 2 t + r % 2 */
    const uint32_t row = lane % 16, feature = first_feature + lane;
    if (feature >= features) return;
    const float scale = __ldg(ws + feature);
    for (uint32_t column = warp; column < TILES * 8 && first_token + column < tokens; column += WARPS) {
        const uint32_t word = (column / 8 * BLOCKS + lane / 16) * SUM_WORDS + (row / 8 * 2 + column % 2) * SUM_PITCH +
                              row % 8 * 4 + column % 8 / 2;
        float sum = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++) sum = __fadd_rn(sum, sums[w * TILES * BLOCKS * SUM_WORDS + word]);
        y[(uint64_t)(first_token + column) * features + feature] = __fmul_rn(sum, scale);
    }
}

#define GEMM_CODES(NAME, CODES, TILES)                                                                                 \
    extern "C" __global__ void __launch_bounds__(WARPS * 32)                                                           \
        NAME(const uint8_t *codes, const float *ws, const __half *x, float *y, uint32_t tokens, uint32_t features,     \
             uint32_t columns) {                                                                                       \
        gemm_codes<CODES, TILES>(codes, ws, x, y, tokens, features, columns);                                          \
    }

GEMM_CODES(gemm_codes8_32x8, Bytes, 1)    // registers <= 80
GEMM_CODES(gemm_codes8_32x32, Bytes, 4)   // registers <= 168
GEMM_CODES(gemm_codes4_32x8, Nibbles, 1)  // registers <= 72
GEMM_CODES(gemm_codes4_32x32, Nibbles, 4) // registers <= 168
