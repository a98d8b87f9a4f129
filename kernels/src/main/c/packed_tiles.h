/*
 * Many tokens (prefill): a tile of rows is unpacked to bytes once and multiplied by a block of tokens. AMX and NEON do so with all weights, AVX2 with dense
 * ones, AVX-512 with bitmaps (packed_matmul.h).
 *
 *     tile, SLICE columns of TILE_ROWS rows: quads of columns          inputs, as packed_layout.h orders them
 *         quad 0 | r0: 4 bytes | r1 | .. r15 |                             t0 | 4 bytes of quad 0 | quad 1 | ..
 *         quad 1 | r0: 4 bytes | r1 | .. r15 |                             t1 | ..
 *
 * packed_outer.h multiplies it by vectors, packed_amx.h by AMX. A tile of 1024 columns (16 KiB with AVX2) stays in L1 for all tokens; each weight is unpacked once per TOKEN_BLOCK tokens.
 * Columns stand in the order of the inputs.
 *
 * Measured with AVX2 on a Zen 3, both of its (virtual) cores busy, medians .. best of interleaved rounds, products of the dense shape a cycle: tile 25-38 .. 28-38, while packed_dot.h
 * makes 4:8p 30-45 .. 33-52, 2:4 28-32 .. 33-41 and 4:8 26-30 out of the same tokens; vpmaddubsw on registers alone 64. With AVX-512 on a Zen 4 likewise: tile 46-49 whatever the
 * pattern, packed_dot.h 4:8p 69, 2:4 67, 4:8 and dense 52, bitmaps 22.
 */

enum {
    TILE_VECTORS = V == 16 ? 4 : 2,
    TILE_ROWS = TILE_VECTORS * QUADS,
    SLICE = 1024, /* columns: whole units and blocks */
    TOKEN_BLOCK = 516
};

/* Scratch of one thread: a tile, and its sums with all tokens of a block. */
static _Thread_local uint8_t tile_memory[SLICE * TILE_ROWS] __attribute__((aligned(64)));
static _Thread_local int32_t total_memory[TOKEN_BLOCK * TILE_ROWS] __attribute__((aligned(64)));

/* quad `quad` of a column of QUADS rows within the tile */
INLINE uint8_t *quad_at(uint8_t *tile, int64_t quad) { return tile + quad * (TILE_VECTORS * V); }

/* ---- unpacking: QUADS rows, of sparse panels where these have as many ---- */

#if U == 4
/* Two kept of four -> four, for all rows of a panel: bytes `codes` stand at `columns`. Two quads, one for each of the groups of a row's 4 bytes. */
INLINE void spread_pairs(vb codes, vb columns, uint8_t *tile, int64_t quad) {
    for (int e = 0; e < 2; e++) {
        vb first, second, four;
        for (int i = 0; i < V; i++) {
            first[i] = (uint8_t)(i % 16 / 4 * 4 + 2 * e);
            second[i] = (uint8_t)(first[i] + 1);
            four[i] = (uint8_t)(4 * e + i % 4);
        }
        vb is_first = (vb)(lookup(columns, first) == four), is_second = (vb)(lookup(columns, second) == four);
        store(quad_at(tile, quad + e), (lookup(codes, first) & is_first) | (lookup(codes, second) & is_second));
    }
}

INLINE void unpack_pairs(const uint8_t *w, int units, uint8_t *tile) {
    const vb offsets = group_offsets(2, 4);
    for (int u = 0; u < units; u++, w += 5 * V)
        for (int k = 0; k < 4; k++) {
            vb c = load(w + V * (1 + k)), pairs = field(load(w), k) | offsets;
            spread_pairs(half_codes(c, 0), pairs, tile, 4 * U * u + k * U);
            spread_pairs(half_codes(c, 1), pairs, tile, 4 * U * u + k * U + U / 2);
        }
}

INLINE void unpack_two_of_four(const uint8_t *w, int units, uint8_t *tile) {
    const vb offsets = group_offsets(2, 4);
    for (int u = 0; u < 2 * units; u++, w += 3 * V)
        for (int k = 0; k < 4; k++) {
            vb c = load(w + V * (1 + k / 2));
            spread_pairs(half_codes(c, k & 1), field(load(w), k) | offsets, tile, 2 * U * u + k * (U / 2));
        }
}

/* codes[q]: column 4 half + q of the U groups of every row -> that half of every group as quads */
INLINE void store_quads(const vb *codes, int half, uint8_t *tile, int64_t quad) {
    for (int e = 0; e < U; e++) {
        vd four = {0};
        for (int q = 0; q < 4; q++) four |= ((vd)codes[q] >> (8 * e) & 0xff) << (8 * q);
        store(quad_at(tile, quad + 2 * e + half), (vb)four);
    }
}

INLINE void unpack_four_of_eight(const uint8_t *w, int units, uint8_t *tile) {
    for (int u = 0; u < 2 * units; u++, w += 3 * V) {
        vb m = load(w), columns[4], kept[4];
        for (int k = 0; k < 4; k++) {
            columns[k] = kept_column(m, k);
            kept[k] = half_codes(load(w + V * (1 + k / 2)), k & 1);
        }
        for (int half = 0; half < 2; half++) {
            vb codes[4];
            for (int q = 0; q < 4; q++) {
                codes[q] = (vb){0};
                for (int k = 0; k < 4; k++) codes[q] |= kept[k] & (vb)(columns[k] == (uint8_t)(4 * half + q));
            }
            store_quads(codes, half, tile, 2 * U * u);
        }
    }
}

#endif

INLINE void unpack_dense(const uint8_t *w, int units, uint8_t *tile) {
    for (int k = 0; k < 2 * U * units; k++) {
        vb c = load(w + V * k);
        store(quad_at(tile, 2 * k), half_codes(c, 0));
        store(quad_at(tile, 2 * k + 1), half_codes(c, 1));
    }
}

#if BITMAPS
/* in: 16 vectors of 16 quads, row by row; out: the same square column by column. log2(16) perfect shuffles transpose. */
INLINE void transpose(vd *square) {
    const vd low = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23}, high = low + 8;
    for (int done = 1; done < QUADS; done *= 2) {
        vd from[QUADS];
        memcpy(from, square, sizeof from);
        for (int i = 0; i < QUADS / 2; i++) {
            __m512i a = (__m512i)from[i], b = (__m512i)from[i + QUADS / 2];
            square[2 * i] = (vd)_mm512_permutex2var_epi32(a, (__m512i)low, b);
            square[2 * i + 1] = (vd)_mm512_permutex2var_epi32(a, (__m512i)high, b);
        }
    }
}

/* QUADS rows, those past `filled` zeros; moves the rows on by `columns` */
INLINE void unpack_bitmaps(int half, bitmap *at, int filled, int columns, uint8_t *tile) {
    for (int c = 0; c < columns; c += 64) {
        vd square[QUADS] = {0};
        for (int r = 0; r < filled; r++) square[r] = (vd)spread(half, at + r);
        transpose(square);
        for (int q = 0; q < QUADS; q++) store(quad_at(tile, c / 4 + q), (vb)square[q]);
    }
}
#endif

NOINLINE void unpack_units(int pattern, const uint8_t *w, int units, uint8_t *tile) {
    switch (pattern) {
#if U == 4
    case TWO_OF_FOUR: unpack_two_of_four(w, units, tile); break;
    case FOUR_OF_EIGHT: unpack_four_of_eight(w, units, tile); break;
    case PAIRS_4_OF_8: unpack_pairs(w, units, tile); break;
#endif
    default: unpack_dense(w, units, tile); break;
    }
}

/* ---- products ---- */

#if defined(OBR_AMX)
#include "packed_amx.h"
#else
#include "packed_outer.h"
#endif

static void matmul_many(int pattern, int rows, int cols, int from, int to, const uint8_t *layout, const int32_t *sums,
                        const float *scales, const uint8_t *inputs, const float *input_scales, int tokens, float *y,
                        int64_t y_stride) {
    int64_t stride = input_stride(cols), bytes = panel_bytes(pattern, cols), padded = whole(cols, UNIT) * UNIT;
    int panel = is_bitmap(pattern) ? QUADS : panel_rows(pattern), shaped = 0;
    for (int t0 = 0; t0 < tokens; t0 += TOKEN_BLOCK) {
        int block = at_most(tokens - t0, TOKEN_BLOCK);
        for (int r = from; r < to; r += TILE_ROWS) {
            int filled = at_most(to - r, TILE_ROWS);
            memset(total_memory, 0, sizeof(int32_t) * TILE_ROWS * (size_t)block);
            if (filled < TILE_ROWS) memset(tile_memory, 0, sizeof tile_memory);
#if BITMAPS
            bitmap at[TILE_ROWS];
            for (int i = 0; is_bitmap(pattern) && i < filled; i++)
                at[i] = bitmap_row(pattern, rows, cols, layout, r + i);
#endif
            for (int64_t c = 0; c < padded; c += SLICE) {
                int columns = padded - c < SLICE ? (int)(padded - c) : SLICE;
                for (int p = 0; p < filled; p += panel) {
                    uint8_t *tile = tile_memory + p / QUADS * V;
#if BITMAPS
                    int n = at_most(filled - p, QUADS);
                    if (pattern == HALF_OF_64)
                        unpack_bitmaps(1, at + p, n, columns, tile);
                    else if (pattern == UNSTRUCTURED)
                        unpack_bitmaps(0, at + p, n, columns, tile);
                    else
#endif
                        unpack_units(pattern, layout + (r + p) / panel * bytes + c / UNIT * unit_bytes(pattern),
                                     columns / UNIT, tile);
                }
                tile_times_tokens(tile_memory, inputs + t0 * stride + c, stride, columns / 4, block, total_memory,
                                  &shaped);
            }
            scale_totals(total_memory, TILE_ROWS, filled, sums + r, scales + r, input_scales + t0, block,
                         y + t0 * y_stride + r, y_stride);
        }
    }
    end_tiles();
    (void)rows;
}
