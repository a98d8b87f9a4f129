/*
 * Linear layer: W [rows, cols] . x [tokens, cols] -> y [tokens, rows], columns from..to of y.
 *
 * Two ways, by the number of tokens:
 *
 * 1. Fewer than 96 (decode, speculation, short prompts): dot products. W is streamed from memory once, 4 rows x up to 3 tokens at a time, widened on the way.
 *
 *        W  from         ################  ->            x  t0 ################
 *           + 1 quarter  ################   along cols      t1 ################      12 accumulators of LANES partial sums, added up at the end of the row;
 *           + 2 quarters ################                   t2 ################      with 3 vectors of x and one of W they fill the 16 registers of AVX2
 *           + 3 quarters ################
 *
 *    The 4 rows lie a quarter of the range apart: the next ones follow each of them in memory, four streams that never jump, as hardware prefetches them. Four neighbours at a time
 *    jump at their ends, and what was prefetched behind them comes too early.
 *
 *    Codes take another way (matmul_codes.h). Block types are unpacked 256 columns x 4 rows at a time into L1 first.
 *    Bound: the bytes of W over memory bandwidth up to 3 tokens, then 12 fused multiply-adds per 7 loads.
 *
 * 2. More (prefill): outer products of packed tiles.
 *
 *        packed W tile, float32: column k of 2 LANES rows is contiguous     x, packed: 256 columns of each token contiguous
 *            k0 | r0 r1 .. r15 |                                                t0 | k0 .. k255 |
 *            k1 | r0 r1 .. r15 |                                                t1 | k0 .. k255 |  ...
 *
 *    For each k: two vectors of W, 6 broadcasts of x, 12 fused multiply-adds into 12 accumulators y[t][r]: 15 of the 16 registers of AVX2.
 *    A tile of 256 columns (16 KiB) stays in L1 for 96 tokens, whose 256 columns of x (96 KiB) stay in L2 for a panel of 8 tiles. Each weight is converted and transposed once per
 *    516 tokens, so its storage type hardly matters. What the next step reads is prefetched: W's rows when packing, y when a tile begins.
 *
 *    Bound: one fused multiply-add per LANES products, two of them a cycle.
 *
 * Limits: any rows, tokens and cols that the type allows. Rows of a tile past `to` are zeros that are computed and not stored.
 *
 * Measured on one core, F16 from DRAM in pages of 4 KiB, medians of interleaved rounds. Few tokens: AMD EPYC (Zen 4, 25-28 GB/s read), AVX-512; AVX2 differs by 5% at most:
 *
 *    tokens                              1          2          3          4          8         16         64
 *    [8192, 2048]   of read           106%        73%        64%        58%
 *    [2048, 8192]   of read            81%        66%        63%        50%        (two threads, one token: 101% and 98%)
 *    either         GFMA/s           11-14      18-19      24-26         27      38-40      44-45         48
 *
 * Many tokens: AMD EPYC (Zen 3, 51 GFMA/s in registers), AVX2: 72-77% of that at 128, 70-76% at 512 tokens.
 */

/* ---- few tokens ---- */

INLINE vf load_as(int type, const uint8_t *row, int64_t k) {
    switch (type) {
    case F16: return load_f16(row + 2 * k);
    case BF16: return load_bf16(row + 2 * k);
    default: return load(row + 4 * k);
    }
}

INLINE float load_one(int type, const uint8_t *row, int64_t k) {
    if (type == F16) return half_at(row + 2 * k);
    if (type == BF16) return widen_bf16_one(bits_at(row + 2 * k));
    float v;
    memcpy(&v, row + 4 * k, 4);
    return v;
}

enum { DOT_ROWS = 4, DOT_TOKENS = 3 };

#define DOT_PARAMETERS                                                                                            \
    const uint8_t *w, int64_t row_bytes, int64_t apart, int64_t n, const float *x, int64_t x_stride, float *y, \
        int64_t y_stride, int accumulate

/* y[t][r] (+)= W[r] . x[t] over n columns for R rows, `apart` from one to the next, and T tokens; type, R and T are constants where this is expanded */
INLINE void dot(int type, int R, int T, DOT_PARAMETERS) {
    vf acc[DOT_ROWS][DOT_TOKENS];
    for (int r = 0; r < R; r++)
        for (int t = 0; t < T; t++) acc[r][t] = zero();
    int64_t k = 0;
    for (; k + LANES <= n; k += LANES) {
        vf xs[DOT_TOKENS];
        for (int t = 0; t < T; t++) xs[t] = in_register(load(x + t * x_stride + k));
        for (int r = 0; r < R; r++) {
            vf ws = in_register(load_as(type, w + r * apart * row_bytes, k));
            for (int t = 0; t < T; t++) acc[r][t] += ws * xs[t];
        }
    }
    float sums[DOT_ROWS][DOT_TOKENS];
    for (int r = 0; r < R; r++)
        for (int t = 0; t < T; t++) sums[r][t] = sum(acc[r][t]);
    for (; k < n; k++)
        for (int r = 0; r < R; r++)
            for (int t = 0; t < T; t++) sums[r][t] += load_one(type, w + r * apart * row_bytes, k) * x[t * x_stride + k];
    for (int t = 0; t < T; t++)
        for (int r = 0; r < R; r++) {
            float *yr = y + t * y_stride + r * apart;
            *yr = accumulate ? *yr + sums[r][t] : sums[r][t];
        }
}

/* One function for each type, R and T, so that each has all registers to itself. */
#define DOT(TYPE, R, T)                                                            \
    static __attribute__((noinline)) void dot_##TYPE##_##R##_##T(DOT_PARAMETERS) { \
        dot(TYPE, R, T, w, row_bytes, apart, n, x, x_stride, y, y_stride, accumulate); \
    }
#define DOTS(TYPE) DOT(TYPE, 1, 1) DOT(TYPE, 1, 2) DOT(TYPE, 1, 3) DOT(TYPE, 4, 1) DOT(TYPE, 4, 2) DOT(TYPE, 4, 3)
#define DOT_TABLE(TYPE)                                           \
    {                                                             \
        {dot_##TYPE##_1_1, dot_##TYPE##_1_2, dot_##TYPE##_1_3}, { \
            dot_##TYPE##_4_1, dot_##TYPE##_4_2, dot_##TYPE##_4_3  \
        }                                                         \
    }

DOTS(F32)
DOTS(F16)
DOTS(BF16)

/* [type][four rows][tokens - 1]; null for block types */
static void (*const dots[TYPES][2][DOT_TOKENS])(DOT_PARAMETERS) = {[F32] = DOT_TABLE(F32),
                                                              [F16] = DOT_TABLE(F16),
                                                              [BF16] = DOT_TABLE(BF16)};

/* rows from..to and all tokens, W of a type without blocks */
static void dot_plain(int type, const uint8_t *w, int64_t row_bytes, int64_t n, int from, int to, const float *x,
                      int64_t x_stride, int tokens, float *y, int64_t y_stride, int accumulate) {
    int quarter = (to - from) / DOT_ROWS, rest = (to - from) % DOT_ROWS, together;
    for (int i = 0; i < quarter + rest; i++) {
        int four = i < quarter, r = from + (four ? i : (DOT_ROWS - 1) * quarter + i);
        for (int t = 0; t < tokens; t += together) {
            int left = tokens - t;
            together = left == 4 ? 2 : at_most(left, DOT_TOKENS); /* 2 + 2 beats 3 + 1 */
            dots[type][four][together - 1](w + r * row_bytes, row_bytes, quarter, n, x + t * x_stride, x_stride,
                                           y + t * y_stride + r, y_stride, accumulate);
        }
    }
}

#include "matmul_codes.h"

enum { SLICE = 256 }; /* columns unpacked at a time: one block of the largest block types */

static void matmul_few(int type, const uint8_t *w, int64_t row_bytes, int cols, int from, int to, const float *x,
                       int tokens, float *y, int64_t y_stride) {
    if (type == CODES_8 || type == CODES_4) {
        matmul_few_codes(type, w, row_bytes, cols, from, to, x, tokens, y, y_stride);
        return;
    }
    if (dots[type][0][0]) {
        dot_plain(type, w, row_bytes, cols, from, to, x, cols, tokens, y, y_stride, 0);
        return;
    }
    float floats[DOT_ROWS * SLICE];
    for (int r = from; r < to; r += DOT_ROWS) {
        int rows = at_most(to - r, DOT_ROWS);
        for (int k = 0; k < cols; k += SLICE) {
            int n = at_most(cols - k, SLICE);
            for (int i = 0; i < rows; i++) unpack(type, w + (r + i) * row_bytes, k, n, floats + i * SLICE);
            dot_plain(F32, (const uint8_t *)floats, 4 * SLICE, n, 0, rows, x + k, cols, tokens, y + r, y_stride, k > 0);
        }
    }
}

/* ---- many tokens ---- */

enum {
    TILE_ROWS = 2 * LANES,
    TILE_TOKENS = 6,
    PANEL_TILES = 8,
    TOKEN_BLOCK = 86 * TILE_TOKENS, /* 516: half a mebibyte of x, and no remainder where a prompt is cut into 512 */
    TOKEN_GROUP = 16 * TILE_TOKENS  /* tokens that share a W tile while it is in L1 and whose x stays in L2 */
};

/* Scratch of one thread: a panel of W and a slice of x. */
static _Thread_local float w_panel[PANEL_TILES * TILE_ROWS * SLICE] __attribute__((aligned(64)));
static _Thread_local float x_slice[TOKEN_BLOCK * SLICE] __attribute__((aligned(64)));

/* in: LANES vectors, row by row; out: the same square column by column. log2(LANES) perfect shuffles transpose. */
INLINE void transpose(vf *square) {
    for (int done = 1; done < LANES; done *= 2) {
        vf from[LANES];
        for (int i = 0; i < LANES; i++) from[i] = square[i];
        for (int i = 0; i < LANES / 2; i++) {
            square[2 * i] = zip_low(from[i], from[i + LANES / 2]);
            square[2 * i + 1] = zip_high(from[i], from[i + LANES / 2]);
        }
    }
}

/* columns k0..k0+n of LANES rows (those past `rows` are zeros) -> tile[k][TILE_ROWS], LANES of each TILE_ROWS */
static void pack(int type, const uint8_t *w, int64_t row_bytes, int rows, int64_t k0, int n, float *tile) {
    float floats[LANES * SLICE];
    int64_t first = block_bytes(type, k0), bytes = block_bytes(type, n);
    for (int r = 0; r < LANES; r++) {
        int filled = r < rows ? n : 0;
        for (int64_t line = 0; filled && line < bytes; line += 64) prefetch(w + (r + LANES) * row_bytes + first + line);
        if (filled) unpack(type, w + r * row_bytes, k0, n, floats + r * SLICE);
        memset(floats + r * SLICE + filled, 0, 4 * (size_t)(SLICE - filled));
    }
    for (int k = 0; k < n; k += LANES) {
        vf square[LANES];
        for (int i = 0; i < LANES; i++) square[i] = load(floats + i * SLICE + k);
        transpose(square);
        for (int i = 0; i < LANES; i++) store(tile + (k + i) * TILE_ROWS, square[i]);
    }
}

/* y[t][0..TILE_ROWS) (+)= tile . x[t] for T tokens, T a constant where this is expanded */
INLINE void outer(int T, const float *tile, const float *x, int n, float *y, int64_t y_stride, int rows,
                  int accumulate) {
    vf acc[TILE_TOKENS][2];
    for (int t = 0; t < T; t++) {
        acc[t][0] = acc[t][1] = zero();
        prefetch_to_write(y + t * y_stride);
        prefetch_to_write(y + t * y_stride + rows - 1);
    }
    for (int k = 0; k < n; k++) {
        vf low = load(tile + k * TILE_ROWS);
        vf high = load(tile + k * TILE_ROWS + LANES);
        for (int t = 0; t < T; t++) {
            vf xs = splat(x[t * SLICE + k]);
            acc[t][0] += low * xs;
            acc[t][1] += high * xs;
        }
    }
    for (int t = 0; t < T; t++) {
        float *yt = y + t * y_stride;
        if (rows == TILE_ROWS) {
            store(yt, accumulate ? load(yt) + acc[t][0] : acc[t][0]);
            store(yt + LANES, accumulate ? load(yt + LANES) + acc[t][1] : acc[t][1]);
        } else {
            float sums[TILE_ROWS];
            store(sums, acc[t][0]);
            store(sums + LANES, acc[t][1]);
            for (int r = 0; r < rows; r++) yt[r] = accumulate ? yt[r] + sums[r] : sums[r];
        }
    }
}

static void tile_times_tokens(const float *tile, const float *x, int tokens, int n, float *y, int64_t y_stride,
                              int rows, int accumulate) {
    int t = 0;
    for (; t + 6 <= tokens; t += 6) outer(6, tile, x + t * SLICE, n, y + t * y_stride, y_stride, rows, accumulate);
    const float *xt = x + t * SLICE;
    float *yt = y + t * y_stride;
    switch (tokens - t) {
    case 5: outer(5, tile, xt, n, yt, y_stride, rows, accumulate); break;
    case 4: outer(4, tile, xt, n, yt, y_stride, rows, accumulate); break;
    case 3: outer(3, tile, xt, n, yt, y_stride, rows, accumulate); break;
    case 2: outer(2, tile, xt, n, yt, y_stride, rows, accumulate); break;
    case 1: outer(1, tile, xt, n, yt, y_stride, rows, accumulate); break;
    }
}

static void matmul_many(int type, const uint8_t *w, int64_t row_bytes, int cols, int from, int to, const float *x,
                        int tokens, float *y, int64_t y_stride) {
    for (int t0 = 0; t0 < tokens; t0 += TOKEN_BLOCK) {
        int block = at_most(tokens - t0, TOKEN_BLOCK);
        for (int k0 = 0; k0 < cols; k0 += SLICE) {
            int n = at_most(cols - k0, SLICE);
            for (int t = 0; t < block; t++)
                memcpy(x_slice + t * SLICE, x + (int64_t)(t0 + t) * cols + k0, 4 * (size_t)n);
            for (int panel = from; panel < to; panel += PANEL_TILES * TILE_ROWS) {
                int rows = at_most(to - panel, PANEL_TILES * TILE_ROWS);
                for (int r = 0; r < rows; r += LANES) {
                    float *tile = w_panel + r / TILE_ROWS * (TILE_ROWS * SLICE) + r % TILE_ROWS;
                    pack(type, w + (panel + r) * row_bytes, row_bytes, at_most(rows - r, LANES), k0, n, tile);
                }
                for (int t = 0; t < block; t += TOKEN_GROUP)
                    for (int r = 0; r < rows; r += TILE_ROWS)
                        tile_times_tokens(w_panel + r * SLICE, x_slice + t * SLICE, at_most(block - t, TOKEN_GROUP), n,
                                          y + (t0 + t) * y_stride + panel + r, y_stride, at_most(rows - r, TILE_ROWS),
                                          k0 > 0);
            }
        }
    }
}

enum { MANY_TOKENS = 96 }; /* where packing W begins to pay */

OBR_API void NAME(obr_matmul)(int32_t type, const void *w, int64_t row_bytes, int32_t cols, int32_t from, int32_t to,
                              const float *x, int32_t tokens, float *y, int64_t y_stride) {
    if (tokens < MANY_TOKENS)
        matmul_few(type, w, row_bytes, cols, from, to, x, tokens, y, y_stride);
    else
        matmul_many(type, w, row_bytes, cols, from, to, x, tokens, y, y_stride);
}

OBR_API void NAME(obr_dequantize)(int32_t type, const void *row, int32_t cols, float *y) {
    unpack(type, row, 0, cols, y);
}
