/*
 * A tile of packed_tiles.h times a block of tokens, by vectors.
 *
 * For each quad: TILE_VECTORS vectors of the tile, TILE_TOKENS broadcasts of x, their products into TILE_VECTORS x TILE_TOKENS accumulators: 15 of the 16 registers of AVX2 (2 x 6), 27 of
 * the 32 of AVX-512 (2 x 12) and 29 of NEON (4 x 6). AVX2's 16-bit sums go to the 32-bit ones, which lie in L1, every 8 quads; others stay in registers to the end.
 *
 * Bound: AVX2: 9/8 vpmaddubsw or vpmaddwd for 32 products, two of which run in a cycle: 57 products a cycle and core. With VNNI one vpdpbusd for V products, two in a cycle; on Zen 4 one of
 * 64 bytes, so 64 products, of which 48 are measured.
 */

#if defined(OBR_AVX512VNNI)
enum { TILE_TOKENS = 12 };
#else
enum { TILE_TOKENS = 6 };
#endif

#if U == 4 || defined(OBR_AVXVNNI)
#define QUADS_TOGETHER quads
#else
#define QUADS_TOGETHER 8
#endif

/* totals [t][TILE_ROWS] += tile . x[t] over `quads` quads for T tokens; T is a constant where this is expanded */
INLINE void outer(int T, const uint8_t *tile, const uint8_t *x, int64_t x_stride, int quads, int32_t *totals) {
    for (int q0 = 0; q0 < quads; q0 += QUADS_TOGETHER) {
        vq4 products[TILE_TOKENS][TILE_VECTORS];
        for (int t = 0; t < T; t++)
            for (int v = 0; v < TILE_VECTORS; v++)
                products[t][v] = begin4((vi)load(totals + t * TILE_ROWS + v * QUADS));
        for (int q = q0; q < q0 + QUADS_TOGETHER; q++) {
            vb w[TILE_VECTORS];
            for (int v = 0; v < TILE_VECTORS; v++) w[v] = load(tile + (q * TILE_VECTORS + v) * V);
            for (int t = 0; t < T; t++) {
                vb four = broadcast4(x + t * x_stride + 4 * q);
                for (int v = 0; v < TILE_VECTORS; v++) products[t][v] = product4(products[t][v], four, w[v]);
            }
        }
        for (int t = 0; t < T; t++)
            for (int v = 0; v < TILE_VECTORS; v++) {
                int32_t *at = totals + t * TILE_ROWS + v * QUADS;
                store(at, (vb)end4((vi)load(at), products[t][v]));
            }
    }
}

#define OUTER_PARAMETERS const uint8_t *tile, const uint8_t *x, int64_t x_stride, int quads, int32_t *totals
#define OUTER(T) \
    NOINLINE void outer_##T(OUTER_PARAMETERS) { outer(T, tile, x, x_stride, quads, totals); }
OUTER(1)
OUTER(2)
OUTER(4)
OUTER(6)
#if defined(OBR_AVX512VNNI)
OUTER(12)
#endif

NOINLINE void tile_times_tokens(const uint8_t *tile, const uint8_t *x, int64_t x_stride, int quads, int tokens,
                                int32_t *totals, int *shaped) {
    (void)shaped; /* AMX's */
    static const struct {
        int tokens;
        void (*multiply)(OUTER_PARAMETERS);
    } steps[] = {
#if defined(OBR_AVX512VNNI)
        {12, outer_12},
#endif
        {6, outer_6}, {4, outer_4}, {2, outer_2}, {1, outer_1}};
    for (int s = 0, t = 0; t < tokens;)
        if (tokens - t >= steps[s].tokens) {
            steps[s].multiply(tile, x + t * x_stride, x_stride, quads, totals + t * TILE_ROWS);
            t += steps[s].tokens;
        } else {
            s++;
        }
}

INLINE void end_tiles(void) {}
