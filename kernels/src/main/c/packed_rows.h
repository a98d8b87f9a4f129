/*
 * Bitmaps and several tokens: a few rows are spread once to bytes, as they lie, and multiplied by all tokens in squares of 4 rows x 4 tokens.
 *
 *     spread, SPREAD_COLUMNS columns of SPREAD_ROWS rows               inputs
 *         columns 0..63 | r0: 64 bytes | r1 | .. r7 |                      t0 | 64 bytes | 64 bytes | ..
 *         columns 64..  | r0           | r1 | .. r7 |                      t1 | ..
 *
 * A square's 16 sums stay in registers, 16 lanes each, and their lanes are added up after the last column. Nothing is transposed, unlike in tiles (packed_tiles.h); the rows stay in L1, the
 * tokens' inputs come out of L2 once for all of them.
 *
 * Bound: a vpdpbusd for 64 products, one a cycle on Zen 4; spreading takes 6 to 7 cycles for 64 weights. Measured on a Zen 4, two threads, unstructured [4096, 4096], G products/s of the dense
 * shape: 9 tokens 206 (packed_dot.h 169), 16 tokens 274 (tiles 215), 32 tokens 328 (249); about 64 both make as many.
 */

enum {
    SPREAD_ROWS = 8, /* spread together */
    SQUARE = 4,
    SPREAD_COLUMNS = 2048, /* 16 KiB of rows */
    SPREAD_TOKENS = 63 /* more take tiles */
};

/* Scratch of one thread: rows, and their sums with all tokens. */
static _Thread_local uint8_t spread_memory[SPREAD_ROWS * SPREAD_COLUMNS] __attribute__((aligned(64)));
static _Thread_local int32_t spread_totals[SPREAD_TOKENS * SPREAD_ROWS] __attribute__((aligned(64)));

/* lane r: the sum of the lanes of sums[r] */
INLINE __m128i added_lanes(const vi *sums) {
    __m256i halves[SQUARE];
    for (int r = 0; r < SQUARE; r++)
        halves[r] = _mm256_add_epi32(_mm512_castsi512_si256((__m512i)sums[r]), _mm512_extracti64x4_epi64((__m512i)sums[r], 1));
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(halves[0], halves[1]), _mm256_hadd_epi32(halves[2], halves[3]));
    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

#define SQUARE_PARAMETERS const uint8_t *rows, const uint8_t *x, int64_t x_stride, int columns, int32_t *totals

/* totals [t][SPREAD_ROWS], of SQUARE rows += rows . x[t] for T tokens; T is a constant where this is expanded */
INLINE void square(int T, SQUARE_PARAMETERS) {
    vi sums[SQUARE][SQUARE];
    for (int t = 0; t < T; t++)
        for (int r = 0; r < SQUARE; r++) sums[t][r] = (vi){0};
    for (int c = 0; c < columns; c += 64, rows += SPREAD_ROWS * 64) {
        vb w[SQUARE];
        for (int r = 0; r < SQUARE; r++) w[r] = load(rows + r * 64);
        for (int t = 0; t < T; t++) {
            vb xt = load(x + t * x_stride + c);
            for (int r = 0; r < SQUARE; r++) sums[t][r] = product4(sums[t][r], xt, w[r]);
        }
    }
    for (int t = 0; t < T; t++) {
        __m128i *at = (__m128i *)(totals + t * SPREAD_ROWS);
        _mm_store_si128(at, _mm_add_epi32(_mm_load_si128(at), added_lanes(sums[t])));
    }
}

NOINLINE void square_1(SQUARE_PARAMETERS) { square(1, rows, x, x_stride, columns, totals); }
NOINLINE void square_2(SQUARE_PARAMETERS) { square(2, rows, x, x_stride, columns, totals); }
NOINLINE void square_3(SQUARE_PARAMETERS) { square(3, rows, x, x_stride, columns, totals); }
NOINLINE void square_4(SQUARE_PARAMETERS) { square(4, rows, x, x_stride, columns, totals); }

static void (*const squares[SQUARE])(SQUARE_PARAMETERS) = {square_1, square_2, square_3, square_4};

/* `filled` rows, which move on by `columns` */
INLINE void spread_rows(int half, bitmap *at, int filled, int columns, uint8_t *rows) {
    for (int r = 0; r < filled; r++) {
        bitmap row = at[r]; /* in registers: stored bytes might be anything's */
        for (int c = 0; c < columns; c += 64) store(rows + c * SPREAD_ROWS + r * 64, spread(half, &row));
        at[r] = row;
    }
}

/* up to SPREAD_TOKENS tokens */
static void matmul_rows(int pattern, int rows, int cols, int from, int to, const uint8_t *layout, const int32_t *sums,
                        const float *scales, const uint8_t *inputs, const float *input_scales, int tokens, float *y,
                        int64_t y_stride) {
    int64_t stride = input_stride(cols), padded = whole(cols, 64) * 64;
    for (int r = from; r < to; r += SPREAD_ROWS) {
        int filled = at_most(to - r, SPREAD_ROWS);
        bitmap at[SPREAD_ROWS];
        for (int i = 0; i < filled; i++) at[i] = bitmap_row(pattern, rows, cols, layout, r + i);
        memset(spread_totals, 0, sizeof(int32_t) * SPREAD_ROWS * (size_t)tokens);
        for (int64_t c = 0; c < padded; c += SPREAD_COLUMNS) {
            int columns = padded - c < SPREAD_COLUMNS ? (int)(padded - c) : SPREAD_COLUMNS;
            if (pattern == HALF_OF_64)
                spread_rows(1, at, filled, columns, spread_memory);
            else
                spread_rows(0, at, filled, columns, spread_memory);
            for (int t = 0; t < tokens; t += SQUARE)
                for (int i = 0; i < filled; i += SQUARE)
                    squares[at_most(tokens - t, SQUARE) - 1](spread_memory + i * 64, inputs + t * stride + c, stride,
                                                             columns, spread_totals + t * SPREAD_ROWS + i);
        }
        scale_totals(spread_totals, SPREAD_ROWS, filled, sums + r, scales + r, input_scales, tokens, y + r, y_stride);
    }
}
