/*
 * The input of a linear layer whose weights are rotated: Hadamard transform of each token, then codes of 4 or 8 bits with one scale a token.
 *
 *     x = silu(gate) * up where there is a gate         silu(g) = g / (1 + e^-g)
 *     h = (H x S) x / sqrt(n)                           n = K 2^k: H of order K, S Sylvester's of order 2^k
 *     codes, scale of h                                 token_codes.cuh
 *
 * x, gate [tokens] rows, `stride` apart, fp16 or f32 -> codes [tokens][row_bytes] as of rmsnorm_quant.cu, in another order of columns where there is an arrangement, scales [tokens] f32. A transform across heads takes each of their `width`
 * components as a vector: it leaves out the butterflies at distances below the width, and its segments are the longer.
 *
 *     columns     | segment 0: 2^k width | segment 1 | .. | segment K - 1 |        fast transform in each, then H across them
 *
 * One thread block a token, thread t of T with units t, t + T, .. of 8 columns. Butterflies by ascending distance, each one addition of two floats, so that there is one result:
 *
 *     1, 2, 4           in a thread's registers
 *     8 .. 128          between the lanes of a warp, whence it goes to shared memory
 *     256, 512, ..      in shared memory, up to three distances a pass: a thread takes 2, 4 or 8 columns at that distance and puts them back
 *     2^k width         where K > 1: a, b of two segments become a + b and a - b, of which each row of H adds or subtracts one
 *
 * Then H: a thread makes 4 rows x 4 columns; two bits of the table say which of the pair's two a row takes, and whether it is subtracted. H costs n K / 2 additions on that plan, n K
 * without. What is added in which order is HadamardTransform to the bit, the rest ScalarNormQuantizer.
 *
 * Columns lie in shared memory as they are numbered, but that every second group of 32 has its 16 byte pieces exchanged by twos: lanes that store 8 columns each then meet all banks.
 *
 * Limits: 16384 columns (64 KB of shared memory); 4 rows of H at a time, so K is 1 or a multiple of 4, as all orders are; at most 1024.
 *
 * Bound (modelled, of counted instructions): what is issued, not bytes. A token of 4096 columns takes 21 thousand warp instructions, of 14336 (K = 28) 107, of 11008 (K = 172) some 205,
 * more than half of them for H: 4, 19 and 36 us of one multiprocessor of an A100, 0.07, 0.36 and 0.7 ms for 2048 tokens on its 108. Tensor cores would do H in a tenth, but with tokens rounded
 * to fp16.
 */
#include "exponential.cuh"
#include "token_codes.cuh"

enum { ROWS = 4, TILES = 2, PAIRS_A_WORD = 16 };

/* Where column c lies in shared memory. */
DEVICE uint32_t place(uint32_t c) { return c ^ (c >> 5 & 1) << 2; }

DEVICE float number(__half x) { return __half2float(x); }
DEVICE float number(float x) { return x; }

/* A unit, of which `columns` are left; rows of 8 columns begin at 16 bytes, others anywhere. */
template <class Input> DEVICE void load_left(const Input *x, uint32_t columns, bool whole_units, float (&h)[UNIT]) {
    if (whole_units) {
        load(x, h);
    } else {
#pragma unroll
        for (uint32_t k = 0; k < UNIT; k++)
            if (k < columns) h[k] = number(x[k]);
    }
}

DEVICE float silu(float g) { return __fdiv_rn(g, __fadd_rn(1, exponential(-g))); }

/* Butterflies at distances 2^level .. 2^(level + COUNT - 1). */
template <int COUNT> DEVICE void butterflies(float *x, uint32_t level, uint32_t columns) {
#pragma unroll 1
    for (uint32_t group = threadIdx.x; group < columns >> COUNT; group += blockDim.x) {
        const uint32_t low = group & (1u << level) - 1, first = group >> level << (level + COUNT) | low;
        float v[1 << COUNT];
#pragma unroll
        for (uint32_t m = 0; m < 1 << COUNT; m++) v[m] = x[place(first + (m << level))];
#pragma unroll
        for (uint32_t half = 1; half < 1 << COUNT; half *= 2)
#pragma unroll
            for (uint32_t m = 0; m < 1 << COUNT; m++)
                if (!(m & half)) {
                    const float a = v[m], b = v[m + half];
                    v[m] = __fadd_rn(a, b);
                    v[m + half] = __fsub_rn(a, b);
                }
#pragma unroll
        for (uint32_t m = 0; m < 1 << COUNT; m++) x[place(first + (m << level))] = v[m];
    }
    __syncthreads();
}

/* WIDTH columns from c on. */
template <int WIDTH> DEVICE void load_columns(const float *x, uint32_t c, float (&v)[WIDTH]) {
    if constexpr (WIDTH == 4) {
        const float4 four = *(const float4 *)(x + place(c));
        v[0] = four.x, v[1] = four.y, v[2] = four.z, v[3] = four.w;
    } else {
        v[0] = x[place(c)];
    }
}

/* x [K, segment] <- H x, of sums and differences of pairs of segments; each thread up to TILES tiles of ROWS rows, K / 4 apart, and WIDTH columns. */
template <int WIDTH> DEVICE void multiply(float *x, const uint4 *signs, uint32_t order, uint32_t segment) {
    const uint32_t row_tiles = order / ROWS, column_tiles = segment / WIDTH;
    float sums[TILES][ROWS][WIDTH] = {};
#pragma unroll
    for (uint32_t i = 0; i < TILES; i++) {
        const uint32_t tile = threadIdx.x + i * blockDim.x, row = tile / column_tiles, column = tile % column_tiles * WIDTH;
        if (row < row_tiles)
            for (uint32_t pair = 0; pair < order / 2; pair += PAIRS_A_WORD) {
                const uint4 four = __ldg(signs + pair / PAIRS_A_WORD * row_tiles + row);
                uint32_t bits[ROWS] = {four.x, four.y, four.z, four.w};
#pragma unroll 1
                for (uint32_t p = pair; p < min(pair + PAIRS_A_WORD, order / 2); p++) {
                    float sum[WIDTH], difference[WIDTH];
                    load_columns<WIDTH>(x, 2 * p * segment + column, sum);
                    load_columns<WIDTH>(x, (2 * p + 1) * segment + column, difference);
#pragma unroll
                    for (uint32_t r = 0; r < ROWS; r++) {
                        const float sign = __uint_as_float(0x3f800000 | (bits[r] & 2) << 30); // 1 or -1
#pragma unroll
                        for (uint32_t c = 0; c < WIDTH; c++)
                            sums[i][r][c] = __fmaf_rn(bits[r] & 1 ? difference[c] : sum[c], sign, sums[i][r][c]);
                        bits[r] >>= 2;
                    }
                }
            }
    }
    __syncthreads();
#pragma unroll
    for (uint32_t i = 0; i < TILES; i++) {
        const uint32_t tile = threadIdx.x + i * blockDim.x, row = tile / column_tiles, column = tile % column_tiles * WIDTH;
        if (row < row_tiles)
#pragma unroll
            for (uint32_t r = 0; r < ROWS; r++) {
                float *to = x + place((row + r * row_tiles) * segment + column);
                if constexpr (WIDTH == 4)
                    *(float4 *)to = make_float4(sums[i][r][0], sums[i][r][1], sums[i][r][2], sums[i][r][3]);
                else
                    *to = sums[i][r][0];
            }
    }
    __syncthreads();
}

/* Which butterflies there are: those of distances 2^first .. 2^(last - 1). */
struct Levels {
    uint32_t first, last;

    DEVICE bool have(uint32_t level) const { return first <= level && level < last; }
};

template <class Input, class Codes>
DEVICE void hadamard_quant(const Input *x, const Input *gate, uint32_t stride, const uint4 *signs, uint32_t order,
                           uint32_t segment_level, uint32_t first_level, float norm, int most, float clip,
                           const uint16_t *arrangement, uint8_t *codes, float *scales, uint32_t columns,
                           uint32_t row_bytes) {
    extern __shared__ float shared[];
    const uint32_t units = (columns + UNIT - 1) / UNIT, lane = threadIdx.x % LANES;
    const bool whole_units = (columns | stride) % UNIT == 0;
    const Levels levels = {first_level, segment_level + (order > 1)};
    x += (uint64_t)blockIdx.x * stride;
    if (gate) gate += (uint64_t)blockIdx.x * stride;
#pragma unroll 1
    for (uint32_t unit = threadIdx.x; unit - lane < units; unit += blockDim.x) { // a warp's lanes stay together
        const uint32_t column = unit * UNIT;
        float v[UNIT] = {};
        if (unit < units) {
            load_left(x + column, columns - column, whole_units, v);
            if (gate) {
                float g[UNIT] = {};
                load_left(gate + column, columns - column, whole_units, g);
#pragma unroll
                for (uint32_t k = 0; k < UNIT; k++) v[k] = __fmul_rn(silu(g[k]), v[k]);
            }
        }
#pragma unroll
        for (uint32_t level = 0; level < 3; level++)
            if (levels.have(level))
#pragma unroll
                for (uint32_t k = 0; k < UNIT; k++)
                    if (!(k & 1 << level)) {
                        const float a = v[k], b = v[k + (1 << level)];
                        v[k] = __fadd_rn(a, b);
                        v[k + (1 << level)] = __fsub_rn(a, b);
                    }
#pragma unroll
        for (uint32_t level = 3; level < 8; level++)
            if (levels.have(level))
#pragma unroll
                for (uint32_t k = 0; k < UNIT; k++) {
                    const float other = __shfl_xor_sync(0xffffffff, v[k], 1 << (level - 3));
                    v[k] = __fadd_rn(other, lane & 1 << (level - 3) ? -v[k] : v[k]);
                }
        if (unit < units) {
            *(float4 *)(shared + place(column)) = make_float4(v[0], v[1], v[2], v[3]);
            *(float4 *)(shared + place(column + 4)) = make_float4(v[4], v[5], v[6], v[7]);
        }
    }
    __syncthreads();

    uint32_t level = max(first_level, 8);
    for (; level + 3 <= levels.last; level += 3) butterflies<3>(shared, level, columns);
    if (level + 2 == levels.last) butterflies<2>(shared, level, columns);
    if (level + 1 == levels.last) butterflies<1>(shared, level, columns);
    if (order > 1) {
        if (segment_level >= 2)
            multiply<4>(shared, signs, order, 1 << segment_level);
        else
            multiply<1>(shared, signs, order, 1 << segment_level);
    }

    float h[UNITS][UNIT] = {};
#pragma unroll
    for (uint32_t i = 0; i < UNITS; i++) {
        const uint32_t unit = threadIdx.x + i * blockDim.x;
        if (unit < units) {
            float low[4], high[4];
            load_columns<4>(shared, unit * UNIT, low);
            load_columns<4>(shared, unit * UNIT + 4, high);
#pragma unroll
            for (uint32_t k = 0; k < 4; k++) {
                h[i][k] = __fmul_rn(low[k], norm);
                h[i][k + 4] = __fmul_rn(high[k], norm);
            }
        }
    }
    quantize<Codes>(h, most, clip, arrangement, (uint8_t *)shared, codes, scales, columns, row_bytes);
}

/* One entry: gate and arrangement may be null; signs [words of 16 pairs][K / 4] of 4 rows, where K > 1; 2^segment_level columns a segment; most = 7 or 127, clip = 0 for the search. */
#define HADAMARD_QUANT(NAME, INPUT, CODES)                                                                             \
    extern "C" __global__ void __launch_bounds__(1024)                                                                 \
        NAME(const INPUT *x, const INPUT *gate, uint32_t stride, const uint4 *signs, uint32_t order,                   \
             uint32_t segment_level, uint32_t first_level, float norm, int most, float clip,                           \
             const uint16_t *arrangement, uint8_t *codes, float *scales, uint32_t columns, uint32_t row_bytes) {       \
        hadamard_quant<INPUT, CODES>(x, gate, stride, signs, order, segment_level, first_level, norm, most, clip,      \
                                     arrangement, codes, scales, columns, row_bytes);                                  \
    }

HADAMARD_QUANT(hadamard_quant_f16_s4, __half, Int4Codes) // registers <= 64
HADAMARD_QUANT(hadamard_quant_f16_s8, __half, Int8Codes) // registers <= 64
HADAMARD_QUANT(hadamard_quant_f32_s4, float, Int4Codes)  // registers <= 64
HADAMARD_QUANT(hadamard_quant_f32_s8, float, Int8Codes)  // registers <= 64
