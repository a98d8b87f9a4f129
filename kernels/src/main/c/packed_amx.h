/*
 * A tile of packed_tiles.h times a block of tokens by AMX-INT8: in the place of packed_outer.h, with the same tile, inputs and totals.
 *
 * tdpbusd multiplies 16 tokens by 16 rows over 64 columns, unsigned bytes by signed ones, into 32-bit sums: activations are the unsigned ones, with BIAS, as for vpdpbusd. Its second
 * operand wants quads of columns as rows, which is how the tile lies:
 *
 *                                         tile, 128 bytes a quad
 *                                         B0: rows 0..15     B1: rows 16..31
 *                                  quad 0 | 4 | 4 | ..      | 4 | 4 | ..
 *                                   ..
 *                                 quad 15 | 4 | 4 | ..      | 4 | 4 | ..
 *     inputs   A0: tokens 0..15   t0 | 64 bytes |        C0: totals             C1
 *              A1: tokens 16..31  t16| 64 bytes |        C2                     C3
 *
 * All 8 tile registers: 2 x 2 of sums, 2 of tokens, 2 of the tile. The sums stay there over a slice of columns and lie in total_memory between slices.
 *
 * Tails. Columns have none: weights and inputs are padded to 64. Rows past the end are zeros of the tile, multiplied like others. Tokens past the end would be read from behind the inputs,
 * so the last tiles get as many rows as there are tokens, which takes another ldtilecfg; tdpbusd takes a cycle for each row of A, so these cost nothing that a whole tile would save.
 *
 * Bound: 16 x 16 x 64 products in 16 cycles, 1024 a cycle and core, eight times vpdpbusd. For 32 tokens and 64 columns, 4 tdpbusd (64 cycles) beside 4 loads of 1 KiB (8 cycles each, if
 * they come from L1): 64 bytes a cycle, half of them of the tile, which is 32 KiB of L1, the other half of the inputs, from L2. Up to 16 tokens only two sums are under way, while a tdpbusd
 * takes 52 cycles until the next may add to the same: a third of the peak. Unpacking a tile costs as much for AVX-512 (packed_tiles.h) and is the smaller, the more tokens share it.
 * Cycles are those of Intel's optimization manual for Sapphire Rapids, ldtilecfg's about 200: nothing here has run on a processor with AMX, only with its instructions written out in C
 * (src/test/c/amx_in_c.h).
 */

enum { TILE_TOKENS = 32, TILE_ROW_TOKENS = 16, TILE_QUADS = 16 };

/* What was stored at p, and elsewhere, is in memory: gcc's tile loads do not tell it what they read, so that it could leave stores out that only they see. */
INLINE void in_memory(const void *p) { __asm__ volatile("" ::"r"(p) : "memory"); }

/* what ldtilecfg reads: bytes and number of the rows of every register */
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} tile_shapes;

/* Registers: 0..3 C0..C3, 4 and 5 A0 and A1, 6 and 7 B0 and B1; literals, as the instructions have them built in. */
static void shape_tiles(int tokens) {
    int first = at_most(tokens, TILE_ROW_TOKENS), second = tokens - first; /* a register without rows is not there */
    const uint8_t rows[8] = {(uint8_t)first, (uint8_t)first, (uint8_t)second, (uint8_t)second,
                             (uint8_t)first, (uint8_t)second, TILE_QUADS, TILE_QUADS};
    tile_shapes shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shapes.rows[i] = rows[i];
        shapes.bytes[i] = rows[i] ? 64 : 0;
    }
    in_memory(&shapes);
    _tile_loadconfig(&shapes);
}

/* totals [t][TILE_ROWS] += tile . x[t] over `quads` quads for up to 16 tokens, or 32 */
INLINE void tile_products(int two, const uint8_t *tile, const uint8_t *x, int64_t x_stride, int quads,
                          int32_t *totals) {
    enum { TILE_STRIDE = TILE_VECTORS * V, TOTALS_STRIDE = 4 * TILE_ROWS };
    const uint8_t *x1 = x + TILE_ROW_TOKENS * x_stride;
    int32_t *totals1 = totals + TILE_ROW_TOKENS * TILE_ROWS;
    _tile_loadd(0, totals, TOTALS_STRIDE);
    _tile_loadd(1, totals + 16, TOTALS_STRIDE);
    if (two) {
        _tile_loadd(2, totals1, TOTALS_STRIDE);
        _tile_loadd(3, totals1 + 16, TOTALS_STRIDE);
    }
    for (int q = 0; q < quads; q += TILE_QUADS) {
        _tile_loadd(6, tile + q * TILE_STRIDE, TILE_STRIDE);
        _tile_loadd(4, x + 4 * q, x_stride);
        _tile_loadd(7, tile + q * TILE_STRIDE + V, TILE_STRIDE);
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 4, 7);
        if (two) {
            _tile_loadd(5, x1 + 4 * q, x_stride);
            _tile_dpbusd(2, 5, 6);
            _tile_dpbusd(3, 5, 7);
        }
    }
    _tile_stored(0, totals, TOTALS_STRIDE);
    _tile_stored(1, totals + 16, TOTALS_STRIDE);
    if (two) {
        _tile_stored(2, totals1, TOTALS_STRIDE);
        _tile_stored(3, totals1 + 16, TOTALS_STRIDE);
    }
}

/* shaped: for how many tokens the tile registers are set up, 0 at first */
NOINLINE void tile_times_tokens(const uint8_t *tile, const uint8_t *x, int64_t x_stride, int quads, int tokens,
                                int32_t *totals, int *shaped) {
    in_memory(tile);
    for (int t = 0; t < tokens; t += TILE_TOKENS) {
        int together = at_most(tokens - t, TILE_TOKENS);
        if (together != *shaped) shape_tiles(together);
        *shaped = together;
        const uint8_t *xt = x + t * x_stride;
        int32_t *at = totals + t * TILE_ROWS;
        if (together > TILE_ROW_TOKENS)
            tile_products(1, tile, xt, x_stride, quads, at);
        else
            tile_products(0, tile, xt, x_stride, quads, at);
    }
}

/* A thread that leaves its tiles set up makes every switch of tasks save them. */
INLINE void end_tiles(void) { _tile_release(); }
