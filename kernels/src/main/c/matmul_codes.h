/*
 * Linear layer on codes for few tokens: W [rows, cols] of int8 or int4 . x [tokens, cols] -> y [tokens, rows], as matmul.h, but with x in 16 bits:
 *
 *     x16 = rint(x 2^shift), shift the largest for which they fit: each is off by 2^-15 of the slice's largest at most; whole numbers up to 2^14 are exact
 *
 *     W  8 bits   | c0 c1 | c2 c3 | ..     widened to 16 bits       x16  | x0 x1 | x2 x3 | ..      one instruction multiplies pairs and adds each up into 32 bits
 *        4 bits   |c0,c1| |c2,c3| ..       spread over a word, shifted down with their sign
 *
 * 4 rows x up to 3 tokens at a time, the rows a quarter of the range apart; more tokens take turns over a block of rows that stays in L2. A slice of columns is as long as sums of 32 bits
 * cannot overflow: 512 products below 2^7 2^15 a lane.
 *
 * Bound: 3 instructions for 2 LANES weights of 8 bits, 7 of 4 bits, where floats take 6 and 10; then the bytes of W.
 * Limits: any rows, tokens and cols; x that is not finite gives no number.
 */

typedef int16_t vs __attribute__((vector_size(4 * LANES))); /* 2 LANES codes, widened */

enum {
    CODES_SLICE = 512 * LANES,
    CODES_STEP = 2 * LANES,
    CODES_BLOCK = 256 << 10 /* bytes of W that serve all tokens while they are in L2; x is narrowed again for each */
};

/* 2 LANES codes from column k, widened to 16 bits */
INLINE vi load_pairs(int type, const uint8_t *row, int64_t k) {
    if (type == CODES_8) return load_s8_pairs(row + k);
    vi pair = load_u8(row + k / 2); /* the codes to the top of each half; what else the shifts leave below them goes */
    return (vi)((vs)(pair << 24 | pair << 12) >> 12);
}

/* x16 [n rounded up to CODES_STEP], zeros at its end; the factor that takes products back, or no number */
static float narrow_inputs(const float *x, int n, int16_t *x16) {
    float largest = NAME(obr_largest)(x, n);
    int32_t largest_bits;
    memcpy(&largest_bits, &largest, 4);
    int exponent = largest_bits >> 23; /* of 2, plus 127 */
    if (exponent == 255) {
        memset(x16, 0, sizeof *x16 * CODES_SLICE);
        return __builtin_nanf("");
    }
    int shift = at_most(14 + 127 - exponent, 126);
    int32_t up_bits = (127 + shift) << 23, down_bits = (127 - shift) << 23;
    float up, down;
    memcpy(&up, &up_bits, 4);
    memcpy(&down, &down_bits, 4);
    for (int i = 0; i < n; i++) {
        int32_t rounded = (int32_t)__builtin_rintf(x[i] * up);
        rounded = rounded > 32767 ? 32767 : rounded; /* 2^15 it can be, after rounding */
        x16[i] = (int16_t)(rounded < -32767 ? -32767 : rounded);
    }
    for (int i = n; i % CODES_STEP != 0; i++) x16[i] = 0;
    return down;
}

#define DOT_CODES_PARAMETERS                                                                                  \
    const uint8_t *w, int64_t row_bytes, int64_t apart, int n, const int16_t *x16, const float *down, float *y, \
        int64_t y_stride, int accumulate

/* y[t][r] (+)= W[r] . x16[t] down[t] over n columns for R rows, `apart` from one to the next, and T tokens; type, R and T are constants where this is expanded */
INLINE void dot_codes(int type, int R, int T, DOT_CODES_PARAMETERS) {
    vi acc[DOT_ROWS][DOT_TOKENS];
    for (int r = 0; r < R; r++)
        for (int t = 0; t < T; t++) acc[r][t] = (vi){0};
    int k = 0;
    for (; k + CODES_STEP <= n; k += CODES_STEP) {
        vi xs[DOT_TOKENS];
        for (int t = 0; t < T; t++) xs[t] = words_in_register(load_words(x16 + t * CODES_SLICE + k));
        for (int r = 0; r < R; r++) {
            vi ws = load_pairs(type, w + r * apart * row_bytes, k);
            for (int t = 0; t < T; t++) acc[r][t] = words_in_register(acc[r][t] + multiply_pairs(ws, xs[t]));
        }
    }
    if (k < n) { /* the last columns, beside which zeros stand */
        size_t left = type == CODES_8 ? (size_t)(n - k) : (size_t)(n - k + 1) / 2;
        for (int r = 0; r < R; r++) {
            uint8_t last[CODES_STEP] = {0};
            memcpy(last, w + r * apart * row_bytes + (type == CODES_8 ? k : k / 2), left);
            vi ws = load_pairs(type, last, 0);
            for (int t = 0; t < T; t++) acc[r][t] += multiply_pairs(ws, load_words(x16 + t * CODES_SLICE + k));
        }
    }
    for (int t = 0; t < T; t++)
        for (int r = 0; r < R; r++) {
            int64_t total = 0;
            for (int lane = 0; lane < LANES; lane++) total += acc[r][t][lane];
            float product = (float)total * down[t];
            float *yr = y + t * y_stride + r * apart;
            *yr = accumulate ? *yr + product : product;
        }
}

#define DOT_CODES(TYPE, R, T)                                                            \
    static __attribute__((noinline)) void dot_##TYPE##_##R##_##T(DOT_CODES_PARAMETERS) { \
        dot_codes(TYPE, R, T, w, row_bytes, apart, n, x16, down, y, y_stride, accumulate); \
    }
#define DOTS_CODES(TYPE)                                                                    \
    DOT_CODES(TYPE, 1, 1)                                                                   \
    DOT_CODES(TYPE, 1, 2) DOT_CODES(TYPE, 1, 3) DOT_CODES(TYPE, 4, 1) DOT_CODES(TYPE, 4, 2) \
    DOT_CODES(TYPE, 4, 3)

DOTS_CODES(CODES_8)
DOTS_CODES(CODES_4)

/* [4 bits][four rows][tokens - 1] */
static void (*const dots_codes[2][2][DOT_TOKENS])(DOT_CODES_PARAMETERS) = {DOT_TABLE(CODES_8), DOT_TABLE(CODES_4)};

/* rows from..to . the tokens and columns that were narrowed; w: row 0 from their first column on */
static void dot_narrowed(int type, const uint8_t *w, int64_t row_bytes, int n, int from, int to, const int16_t *x16,
                         const float *down, int tokens, float *y, int64_t y_stride, int accumulate) {
    int quarter = (to - from) / DOT_ROWS, rest = (to - from) % DOT_ROWS;
    for (int i = 0; i < quarter + rest; i++) {
        int four = i < quarter, r = from + (four ? i : (DOT_ROWS - 1) * quarter + i);
        dots_codes[type == CODES_4][four][tokens - 1](w + r * row_bytes, row_bytes, quarter, n, x16, down, y + r,
                                                      y_stride, accumulate);
    }
}

static void matmul_few_codes(int type, const uint8_t *w, int64_t row_bytes, int cols, int from, int to, const float *x,
                             int tokens, float *y, int64_t y_stride) {
    int16_t x16[DOT_TOKENS * CODES_SLICE] __attribute__((aligned(64)));
    int block = tokens <= DOT_TOKENS ? to - from : (int)(CODES_BLOCK / row_bytes) + 1;
    for (int r = from; r < to; r += block) {
        int end = r + at_most(to - r, block);
        for (int t = 0; t < tokens; t += DOT_TOKENS) {
            int together = at_most(tokens - t, DOT_TOKENS);
            for (int k = 0; k < cols; k += CODES_SLICE) {
                int n = at_most(cols - k, CODES_SLICE);
                float down[DOT_TOKENS];
                for (int i = 0; i < together; i++)
                    down[i] = narrow_inputs(x + (int64_t)(t + i) * cols + k, n, x16 + i * CODES_SLICE);
                dot_narrowed(type, w + (type == CODES_8 ? k : k / 2), row_bytes, n, r, end, x16, down, together,
                             y + t * y_stride, y_stride, k > 0);
            }
        }
    }
}
