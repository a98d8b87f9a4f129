/*
 * Bitmaps of AVX-512: codes of the kept entries -> codes of 64 columns, zeros where nothing is kept. vpexpandb puts as many bytes in place as the mask has ones. It waits for what its
 * register held before, even where it zeroes the rest, so that each gets a register that was just cleared (on a Zen 5 6.2 and 2.6 cycles for 64 columns; a Zen 4 hardly cares).
 */

typedef struct {
    const uint8_t *masks, *codes; /* of the group that comes next */
} bitmap;

/* zeros that the compiler does not know of */
INLINE vb cleared(void) {
    vb zeros = {0};
#if defined(__AVX512F__)
    __asm__("" : "+v"(zeros));
#endif
    return zeros;
}

INLINE bitmap bitmap_row(int pattern, int rows, int cols, const uint8_t *layout, int row) {
    int64_t groups = whole(cols, 64);
    if (pattern == HALF_OF_64) return (bitmap){layout + 24 * groups * row, layout + 24 * groups * row + 8};
    int64_t start = (int64_t)word_at(layout + 8 * (int64_t)row);
    return (bitmap){layout + 8 * ((int64_t)rows + 1) + 8 * groups * row, layout + start};
}

/* the codes of 64 columns; goes on to the next */
INLINE vb spread(int half, bitmap *at) {
    uint64_t mask = word_at(at->masks);
    vb codes;
    if (half) { /* low halves, then high ones */
        __m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)at->codes));
        __m256i nibbles = _mm256_srlv_epi64(bytes, _mm256_setr_epi64x(0, 0, 4, 4)) & _mm256_set1_epi8(15);
        codes = (vb)_mm512_castsi256_si512(_mm256_sub_epi8(nibbles, _mm256_set1_epi8(8)));
    } else { /* low and high halves in turn */
        vw pairs = (vw)_mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)at->codes));
        codes = codes_of((vb)((pairs & 0x000f) | (pairs << 4 & 0x0f00)));
    }
    at->masks += half ? 24 : 8;
    at->codes += half ? 24 : code_bytes(__builtin_popcountll(mask));
    return (vb)_mm512_mask_expand_epi8((__m512i)cleared(), mask, (__m512i)codes);
}
