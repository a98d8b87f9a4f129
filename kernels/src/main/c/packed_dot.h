/*
 * Weights multiplied as they lie: the layout of packed_layout.h is streamed, multiplied by up to 8 tokens at a time. All there is for few tokens, and for many where packed_tiles.h is slower.
 *
 * Sparse panels gather activations instead of spreading weights: the window of x that a vector's groups cover is the same for all rows of a panel, so it is broadcast, and one byte
 * shuffle with the metadata as indices gives every row its own kept activations.
 *
 *     4:8p, AVX2:   x    e0 e1 e2 e3 | the same 7 times     the first columns of a group's 4 pairs; then the second columns, with the same indices
 *                   M    row 0: p p | row 1: p p | ..     which pairs
 *                   C    row 0: c c | row 1: c c | ..     low halves: codes of first columns, high halves: of second columns
 *                   sum  row 0      | row 1      | ..     16 bits a row
 *
 * The two kept of four are 2 bits each, shifted out of M. For 4:8 the k-th kept column of 8 comes out of the bitmap by two lookups: with a and b its low and high half, exactly 4 bits
 * are set in both together, so either a has a k-th set bit, or b has a (3-k)-th one counted from the top; each table holds 0 where there is none.
 *
 * Bitmaps are spread to all their columns (packed_bitmap.h) and multiplied row by row.
 *
 * Bound: bytes. For 64 weights and one token AVX2 computes 7 instructions (4:8p), 8 (2:4), 12 (4:8) or 8 (dense) besides loads. Measured on a Zen 3, both of its virtual cores busy with
 * other work as well, cycles for 64 weights in L2: 4:8p 2.3-3.1, 2:4 2.4-2.8, 4:8 3.6, dense 2.6-4.5; from memory every pattern runs at 87-104% of a bare read of its bytes.
 * AVX-512 on a Zen 4: 4:8p and 2:4 2.3, 4:8 2.6, dense 4.0, bitmaps 6-7; from memory 93-98%, bitmaps 62-72%: by these cycles they beat dense codes of 4 bits where a core has less
 * than 14 GB/s to itself.
 */

enum { FEW_TOKENS = 8 };

/* [k][low half of a bitmap]: its k-th set bit; [k][high half]: its (3-k)-th set bit from the top, + 4 */
static const uint8_t kept_low[4][16] = {{0, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0},
                                        {0, 0, 0, 1, 0, 2, 2, 1, 0, 3, 3, 1, 3, 2, 2, 1},
                                        {0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 3, 3, 2},
                                        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}};
static const uint8_t kept_high[4][16] = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4},
                                         {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 4, 5, 5},
                                         {0, 0, 0, 4, 0, 4, 5, 5, 0, 4, 5, 5, 6, 6, 6, 6},
                                         {0, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7}};

/* the k-th kept column of every group of 8, for bitmaps m of 4 bits each */
INLINE vb kept_column(vb m, int k) {
    return lookup(table16(kept_low[k]), low_nibbles(m)) | lookup(table16(kept_high[k]), high_nibbles(m));
}

/* what a row's bytes add to their indices: `step` for each further group, of `kept` bytes each */
INLINE vb group_offsets(int kept, int step) {
    vb offsets;
    for (int i = 0; i < V; i++) offsets[i] = (uint8_t)(i % U / kept * step);
    return offsets;
}

/* 4 columns of each group of four that a vector covers */
INLINE vb groups_of_4(const uint8_t *x) { return U == 2 ? broadcast4(x) : broadcast8(x); }

#define DOT_PARAMETERS const uint8_t *w, int units, const uint8_t *x, int64_t x_stride, int32_t *totals

/* Leaves the sums of a panel's rows: totals [T][PANEL]. */
INLINE void keep_totals(int T, vi sums[][SUMS], int32_t *totals) {
    for (int t = 0; t < T; t++)
        for (int row = 0; row < PANEL; row++)
            totals[t * PANEL + row] = sums[t][row % SUMS][row / SUMS];
}

INLINE void dot_pairs(int T, DOT_PARAMETERS) {
    vi sums[FEW_TOKENS][SUMS] = {0};
    const vb offsets = group_offsets(2, 4);
    for (int u = 0; u < units; u++, w += 5 * V, x += UNIT) {
        vp products[FEW_TOKENS];
        vb m = load(w);
        prefetch_ahead(w, 5);
        for (int t = 0; t < T; t++) products[t] = begin(sums[t]);
        for (int k = 0; k < 4; k++) {
            vb c = load(w + V * (1 + k)), pairs = field(m, k) | offsets;
            vb first = half_codes(c, 0), second = half_codes(c, 1);
            for (int t = 0; t < T; t++) {
                const uint8_t *xk = x + t * x_stride + k * (4 * U);
                products[t] = product(products[t], lookup(groups_of_4(xk), pairs), first);
                products[t] = product(products[t], lookup(groups_of_4(xk + 2 * U), pairs), second);
            }
        }
        for (int t = 0; t < T; t++) end(sums[t], products[t]);
    }
    keep_totals(T, sums, totals);
}

INLINE void dot_two_of_four(int T, DOT_PARAMETERS) {
    vi sums[FEW_TOKENS][SUMS] = {0};
    const vb offsets = group_offsets(2, 4);
    for (int u = 0; u < units; u++, w += 6 * V, x += UNIT) {
        vp products[FEW_TOKENS];
        prefetch_ahead(w, 6);
        for (int t = 0; t < T; t++) products[t] = begin(sums[t]);
        UNROLL for (int i = 0; i < 4; i++) { /* vectors of codes; i / 2: half of the unit */
            vb m = load(w + i / 2 * (3 * V)), c = load(w + i / 2 * (3 * V) + V * (1 + i % 2));
            vb first_columns = field(m, 2 * (i % 2)) | offsets, second_columns = field(m, 2 * (i % 2) + 1) | offsets;
            vb first = half_codes(c, 0), second = half_codes(c, 1);
            for (int t = 0; t < T; t++) {
                const uint8_t *xi = x + t * x_stride + i * (4 * U);
                products[t] = product(products[t], lookup(groups_of_4(xi), first_columns), first);
                products[t] = product(products[t], lookup(groups_of_4(xi + 2 * U), second_columns), second);
            }
        }
        for (int t = 0; t < T; t++) end(sums[t], products[t]);
    }
    keep_totals(T, sums, totals);
}

INLINE void dot_four_of_eight(int T, DOT_PARAMETERS) {
    vi sums[FEW_TOKENS][SUMS] = {0};
    const vb offsets = group_offsets(1, 8);
    for (int u = 0; u < units; u++, w += 6 * V, x += UNIT) {
        vp products[FEW_TOKENS];
        prefetch_ahead(w, 6);
        for (int t = 0; t < T; t++) products[t] = begin(sums[t]);
        UNROLL for (int i = 0; i < 4; i++) { /* vectors of codes; i / 2: half of the unit */
            vb m = load(w + i / 2 * (3 * V)), c = load(w + i / 2 * (3 * V) + V * (1 + i % 2));
            vb first_columns = kept_column(m, 2 * (i % 2)) | offsets;
            vb second_columns = kept_column(m, 2 * (i % 2) + 1) | offsets;
            vb first = half_codes(c, 0), second = half_codes(c, 1);
            for (int t = 0; t < T; t++) {
                window xi = groups_of_8(x + t * x_stride + i / 2 * (8 * U));
                products[t] = product(products[t], gather(xi, first_columns), first);
                products[t] = product(products[t], gather(xi, second_columns), second);
            }
        }
        for (int t = 0; t < T; t++) end(sums[t], products[t]);
    }
    keep_totals(T, sums, totals);
}

INLINE void dot_dense(int T, DOT_PARAMETERS) {
    vi sums[FEW_TOKENS] = {0};
    for (int u = 0; u < units; u++, w += 2 * U * V, x += UNIT) {
        vq4 products[FEW_TOKENS];
        prefetch_ahead(w, 2 * U);
        for (int t = 0; t < T; t++) products[t] = begin4(sums[t]);
        for (int k = 0; k < 2 * U; k++) {
            vb c = load(w + V * k), first = half_codes(c, 0), second = half_codes(c, 1);
            for (int t = 0; t < T; t++) {
                const uint8_t *xk = x + t * x_stride + 8 * k;
                products[t] = product4(products[t], broadcast4(xk), first);
                products[t] = product4(products[t], broadcast4(xk + 4), second);
            }
        }
        for (int t = 0; t < T; t++) sums[t] = end4(sums[t], products[t]);
    }
    for (int t = 0; t < T; t++)
        for (int row = 0; row < QUADS; row++) totals[t * PANEL + row] = sums[t][row];
}

/* One function for each pattern and number of tokens, so that each has all registers to itself. */
#define DOT(PATTERN, T) \
    NOINLINE void PATTERN##_##T(DOT_PARAMETERS) { PATTERN(T, w, units, x, x_stride, totals); }
#define DOTS(PATTERN) DOT(PATTERN, 1) DOT(PATTERN, 2) DOT(PATTERN, 3) DOT(PATTERN, 4) DOT(PATTERN, 8)
#define DOT_TABLE(PATTERN) {PATTERN##_1, PATTERN##_2, PATTERN##_3, PATTERN##_4, [7] = PATTERN##_8}

DOTS(dot_pairs)
DOTS(dot_two_of_four)
DOTS(dot_four_of_eight)
DOTS(dot_dense)

/* [pattern][tokens - 1] */
static void (*const panel_dots[][FEW_TOKENS])(DOT_PARAMETERS) = {
    [DENSE] = DOT_TABLE(dot_dense),
    [TWO_OF_FOUR] = DOT_TABLE(dot_two_of_four),
    [FOUR_OF_EIGHT] = DOT_TABLE(dot_four_of_eight),
    [PAIRS_4_OF_8] = DOT_TABLE(dot_pairs),
};

#if BITMAPS
/* totals [T][PANEL], of one row each */
INLINE void dot_bitmap(int half, int T, bitmap row, int cols, const uint8_t *x, int64_t x_stride, int32_t *totals) {
    vi sums[FEW_TOKENS];
    for (int t = 0; t < T; t++) sums[t] = (vi){0};
    for (int64_t g = 0; g < whole(cols, 64); g++, x += 64) {
        vb codes = spread(half, &row);
        prefetch(row.codes + AHEAD);
        if (!half) prefetch(row.masks + AHEAD); /* which lie elsewhere */
        for (int t = 0; t < T; t++) sums[t] = product4(sums[t], load(x + t * x_stride), codes);
    }
    for (int t = 0; t < T; t++) {
        int32_t total = 0;
        for (int i = 0; i < QUADS; i++) total += sums[t][i];
        totals[t * PANEL] = total;
    }
}

#define BITMAP_DOT(T)                                                                                                  \
    NOINLINE void bitmap_##T(int half, bitmap row, int cols, const uint8_t *x, int64_t x_stride, int32_t *totals) {   \
        if (half)                                                                                                      \
            dot_bitmap(1, T, row, cols, x, x_stride, totals);                                                         \
        else                                                                                                           \
            dot_bitmap(0, T, row, cols, x, x_stride, totals);                                                         \
    }
BITMAP_DOT(1)
BITMAP_DOT(2)
BITMAP_DOT(3)
BITMAP_DOT(4)
BITMAP_DOT(8)

static void (*const bitmap_dots[FEW_TOKENS])(int, bitmap, int, const uint8_t *, int64_t, int32_t *) = {
    bitmap_1, bitmap_2, bitmap_3, bitmap_4, [7] = bitmap_8};
#endif

/* y[t][0..rows) for totals [t][totals_stride] of these rows */
INLINE void scale_totals(const int32_t *totals, int64_t totals_stride, int rows, const int32_t *sums,
                         const float *scales, const float *input_scales, int tokens, float *y, int64_t y_stride) {
    for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
            y[t * y_stride + r] =
                (float)(totals[t * totals_stride + r] - sums[r]) * (input_scales[t] * scales[r]);
}

/* tokens that stay in L2 while all panels pass by */
INLINE int tokens_in_cache(int64_t stride) {
    const int64_t bytes = 512 << 10;
    return (int)whole(bytes / FEW_TOKENS, stride) * FEW_TOKENS;
}

static void matmul_few(int pattern, int rows, int cols, int from, int to, const uint8_t *layout, const int32_t *sums,
                       const float *scales, const uint8_t *inputs, const float *input_scales, int tokens, float *y,
                       int64_t y_stride) {
    int32_t totals[FEW_TOKENS * PANEL];
    int64_t stride = input_stride(cols), bytes = panel_bytes(pattern, cols);
    int panel = panel_rows(pattern), units = (int)whole(cols, UNIT), block = tokens_in_cache(stride);
    for (int t0 = 0; t0 < tokens; t0 += block) {
        int end = at_most(t0 + block, tokens);
        for (int r = from; r < to; r += panel) {
            for (int t = t0, together; t < end; t += together) {
                together = end - t >= FEW_TOKENS ? FEW_TOKENS : at_most(end - t, 4);
                const uint8_t *x = inputs + t * stride;
#if BITMAPS
                if (is_bitmap(pattern))
                    bitmap_dots[together - 1](pattern == HALF_OF_64, bitmap_row(pattern, rows, cols, layout, r), cols, x,
                                              stride, totals);
                else
#endif
                    panel_dots[pattern][together - 1](layout + r / panel * bytes, units, x, stride, totals);
                scale_totals(totals, PANEL, at_most(to - r, panel), sums + r, scales + r, input_scales + t, together,
                             y + t * y_stride + r, y_stride);
            }
        }
    }
    (void)rows;
}
