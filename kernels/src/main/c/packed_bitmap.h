/*
 * Bitmaps of x86: codes of the kept entries -> codes of BLOCK columns, zeros where nothing is kept.
 *
 * AVX2: four pdep put the bit planes of 64 columns in place (it needs one each, whatever the mask is); vectors then turn planes of 256 columns into bytes:
 *
 *     plane 0  | bit 0 of columns 0..7 | of 8..15 | ..      and, shift, or        vector 0:  columns 0, 8, 16 .. 248
 *     ..                                                  ----------------->      ..
 *     plane 3  | bit 3 of columns 0..7 | of 8..15 | ..    twice 2 bits to 4       vector 7:  columns 7, 15, 23 .. 255
 *
 * (Processors that split pdep into microcode, AMD's before Zen 3, are slow here, not wrong.)
 *
 * AVX-512: vpexpandb spreads bytes, one vector of 64 columns.
 */

typedef struct {
    const uint8_t *masks, *codes; /* of the group that comes next */
} bitmap;

INLINE bitmap bitmap_row(int pattern, int rows, int cols, const uint8_t *layout, int row) {
    int64_t groups = whole(cols, 64);
    if (pattern == HALF_OF_64) return (bitmap){layout + 24 * groups * row, layout + 24 * groups * row + 8};
    int64_t start = (int64_t)word_at(layout + 8 * (int64_t)row);
    return (bitmap){layout + 8 * ((int64_t)rows + 1) + 8 * groups * row, layout + start};
}

/* goes on behind a group that keeps `kept` codes */
INLINE void next_group(int half, bitmap *at, int kept) {
    at->masks += half ? 24 : 8;
    at->codes += half ? 24 : code_bytes(kept);
}

#if U == 4
INLINE void spread(int half, bitmap *at, int groups, vb *codes) {
    (void)groups;
    uint64_t mask = word_at(at->masks);
    __m256i two = half ? _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)at->codes))
                       : _mm256_loadu_si256((const __m256i *)at->codes);
    vw pairs = (vw)_mm512_cvtepu8_epi16(two);
    vb nibbles = (vb)((pairs & 0x000f) | (pairs << 4 & 0x0f00));
    codes[0] = (vb)_mm512_maskz_expand_epi8(mask, (__m512i)(nibbles - 8));
    next_group(half, at, __builtin_popcountll(mask));
}
#else
INLINE vb shifted_right(vb v, int bits) { return (vb)((vw)v >> bits); }

INLINE vb shifted_left(vb v, int bits) { return (vb)((vw)v << bits); }

INLINE void spread(int half, bitmap *at, int groups, vb *codes) {
    uint64_t planes[4][BLOCK / 64] = {0};
    for (int g = 0; g < groups; g++) {
        uint64_t mask = word_at(at->masks);
        int kept = half ? 32 : __builtin_popcountll(mask), bytes = (kept + 7) / 8;
        for (int p = 0; p < 4; p++) planes[p][g] = _pdep_u64(word_at(at->codes + p * bytes), mask);
        prefetch(at->codes + 1024);
        next_group(half, at, kept);
    }
    vb p0 = load(planes[0]), p1 = load(planes[1]), p2 = load(planes[2]), p3 = ~load(planes[3]); /* ~: code + 8 */
    vb low[2] = {(p0 & 0x55) | shifted_left(p1 & 0x55, 1), (shifted_right(p0, 1) & 0x55) | (p1 & 0xaa)};
    vb high[2] = {(p2 & 0x55) | shifted_left(p3 & 0x55, 1), (shifted_right(p2, 1) & 0x55) | (p3 & 0xaa)};
    for (int odd = 0; odd < 2; odd++) {
        vb near = (low[odd] & 0x33) | shifted_left(high[odd] & 0x33, 2);
        vb far = (shifted_right(low[odd], 2) & 0x33) | (high[odd] & 0xcc);
        codes[odd] = low_nibbles(near) - 8;
        codes[odd + 4] = high_nibbles(near) - 8;
        codes[odd + 2] = low_nibbles(far) - 8;
        codes[odd + 6] = high_nibbles(far) - 8;
    }
}
#endif
