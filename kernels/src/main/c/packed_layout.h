/*
 * The file's layout of a packed weight -> the layout that packed_dot.h streams and packed_tiles.h unpacks.
 *
 * Panels of rows, one after the other; a panel is cut into units of 16 U columns, a unit into vectors of V bytes. Row r of a panel takes bytes r U .. r U + U - 1 of every
 * vector. Nibbles hold code + 8.
 *
 *   4:8p     | M | C0 | C1 | C2 | C3 |      Ck: a byte is a kept pair, its first code in the low half. U / 2 groups of 8 columns, 2 kept pairs each, are a row's U bytes
 *                                           M:  bits 2k+1:2k of a byte say which of its group's 4 pairs the same byte of Ck is
 *   2:4      | M | C0 | C1 | twice          likewise for groups of 4 columns and single codes; C0 holds k = 0 in low and 1 in high halves, C1 2 and 3
 *   4:8      | M | C0 | C1 | twice          M: a byte is a group's bitmap; U groups of 8 columns are a row's U bytes. C0: a group's first two kept codes, C1: its last two
 *   dense    | C | 2 U times                panels of V / 4 rows of 4 bytes: 4 columns in the low halves, the next 4 in the high halves
 *
 * Bitmaps (32:64 and unstructured), AVX-512: row by row, in groups of 64 columns, whose codes vpexpandb spreads:
 *
 *   32:64         | mask 8 | codes 16 | ..                                                       codes 0..15 in the low halves of bytes, 16..31 in the high ones
 *   unstructured  | starts 8 (rows + 1) | masks 8 a group | codes of every row from its start on |      masks apart, so that no address waits for a mask
 *
 * Codes of a group begin with a whole byte, which takes 0.03 bits a weight more than the file where groups keep different numbers. The other instruction sets lay bitmaps out as dense. AVX2
 * could spread bit planes by pdep (4 for 64 columns, 39 instructions in all): measured on a Zen 3, 34 Gweights/s at 3 bits, where dense codes, a third more bytes, gave 78 in the same run.
 *
 * Bits a weight: 2.5 for 4:8p, 4 for dense, else 3, as in the file, but for bitmaps laid out as dense. Columns are padded to whole units or groups with codes of zero, rows to whole panels.
 * Cost: about a nanosecond a weight and thread; callers lay out ranges of rows in parallel.
 */

#define UNIT (16 * U)
#define PANEL (V / U)

#if defined(OBR_AVX512VNNI)
#define BITMAPS 1
#else
#define BITMAPS 0
#endif

enum { SPARE = 64 }; /* bytes behind a layout that may be read */

/* the pattern by which a weight is laid out here */
INLINE int laid_out_as(int pattern) {
    return !BITMAPS && (pattern == UNSTRUCTURED || pattern == HALF_OF_64) ? DENSE : pattern;
}

INLINE int is_bitmap(int pattern) { return pattern == UNSTRUCTURED || pattern == HALF_OF_64; }

INLINE int panel_rows(int pattern) { return pattern == DENSE ? QUADS : is_bitmap(pattern) ? 1 : PANEL; }

INLINE int64_t unit_bytes(int pattern) { return V * (pattern == PAIRS_4_OF_8 ? 5 : pattern == DENSE ? 2 * U : 6); }

INLINE int64_t panel_bytes(int pattern, int cols) { return whole(cols, UNIT) * unit_bytes(pattern); }

INLINE int64_t code_bytes(int kept) { return (kept + 1) / 2; }

INLINE uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

/* ---- the file's layout ---- */

INLINE int64_t index_row_bytes(int pattern, int cols) {
    switch (pattern) {
    case DENSE: return 0;
    case UNSTRUCTURED: return whole(cols, 8);
    case HALF_OF_64: return 8 * whole(cols, 64);
    case TWO_OF_FOUR: return whole(whole(cols, 4), 2);
    case PAIRS_4_OF_8: return whole(whole(cols, 8), 2);
    default: return whole(cols, 8);
    }
}

/* 0 for the unstructured pattern, whose rows differ */
INLINE int64_t code_row_bytes(int pattern, int cols) {
    int group = pattern == TWO_OF_FOUR ? 4 : pattern == HALF_OF_64 ? 64 : 8;
    return pattern == UNSTRUCTURED ? 0 : pattern == DENSE ? whole(cols, 2) : whole(cols, group) * group / 4;
}

/* 64 columns of a bitmap row of `bytes` bytes */
INLINE uint64_t mask_of(const uint8_t *row, int64_t bytes, int64_t group) {
    uint64_t mask = 0;
    int64_t left = bytes - 8 * group;
    memcpy(&mask, row + 8 * group, left < 8 ? (size_t)left : 8);
    return mask;
}

INLINE int nibble(const uint8_t *row, int64_t i) { return row[i / 2] >> (i & 1) * 4 & 15; }

INLINE int signed_nibble(int n) { return (n ^ 8) - 8; }

/* bytes that rows from..to take in the file and in the layout, counted from an unstructured index */
static void count_rows(int cols, int from, int to, const uint8_t *index, int64_t *in_file, int64_t *laid_out) {
    int64_t bytes = index_row_bytes(UNSTRUCTURED, cols);
    for (int r = from; r < to; r++) {
        int64_t kept = 0;
        for (int64_t g = 0; g < whole(cols, 64); g++) {
            int ones = __builtin_popcountll(mask_of(index + r * bytes, bytes, g));
            kept += ones;
            *laid_out += code_bytes(ones);
        }
        *in_file += (kept + 1) / 2;
    }
}

OBR_API int64_t NAME(obr_packed_size)(int32_t pattern, int32_t rows, int32_t cols, const void *index) {
    int64_t groups = whole(cols, 64), in_file = 0, laid_out = 0;
    pattern = laid_out_as(pattern);
    if (pattern == HALF_OF_64) return 24 * groups * rows + SPARE;
    if (pattern == UNSTRUCTURED) {
        count_rows(cols, 0, rows, index, &in_file, &laid_out);
        return 8 * ((int64_t)rows + 1) + 8 * groups * rows + laid_out + SPARE;
    }
    return whole(rows, panel_rows(pattern)) * panel_bytes(pattern, cols) + SPARE;
}

/* ---- panels ---- */

/* One row of 4:8p; returns the sum of its codes. Likewise the others. */
static int lay_pairs(int cols, const uint8_t *codes, const uint8_t *index, uint8_t *row) {
    int sum = 0;
    for (int64_t g = 0; g < whole(cols, 8); g++) {
        uint8_t *m = row + g / (2 * U) * unit_bytes(PAIRS_4_OF_8) + g % (U / 2) * 2;
        int k = (int)(g % (2 * U) / (U / 2)), pairs = nibble(index, g);
        uint8_t *c = m + V * (1 + k);
        for (int i = 0; i < 2; i++) {
            int two = codes[2 * g + i];
            m[i] |= (uint8_t)((pairs >> 2 * i & 3) << 2 * k);
            c[i] = (uint8_t)(two ^ 0x88);
            sum += signed_nibble(two & 15) + signed_nibble(two >> 4);
        }
    }
    return sum;
}

static int lay_two_of_four(int cols, const uint8_t *codes, const uint8_t *index, uint8_t *row) {
    int sum = 0;
    for (int64_t g = 0; g < whole(cols, 4); g++) {
        uint8_t *m = row + g / (2 * U) * (3 * V) + g % (U / 2) * 2;
        int k = (int)(g % (2 * U) / (U / 2)), columns = nibble(index, g), half = (k & 1) * 4;
        uint8_t *c = m + V * (1 + k / 2);
        for (int i = 0; i < 2; i++) {
            int code = codes[g] >> 4 * i & 15;
            m[i] |= (uint8_t)((columns >> 2 * i & 3) << 2 * k);
            c[i] = (uint8_t)((c[i] & 0xf0 >> half) | (code ^ 8) << half);
            sum += signed_nibble(code);
        }
    }
    return sum;
}

static int lay_four_of_eight(int cols, const uint8_t *codes, const uint8_t *index, uint8_t *row) {
    int sum = 0;
    for (int64_t g = 0; g < whole(cols, 8); g++) {
        uint8_t *m = row + g / U * (3 * V) + g % U;
        m[0] = index[g];
        for (int i = 0; i < 2; i++) {
            int two = codes[2 * g + i];
            m[V * (1 + i)] = (uint8_t)(two ^ 0x88);
            sum += signed_nibble(two & 15) + signed_nibble(two >> 4);
        }
    }
    return sum;
}

/* 4 nibbles -> the low halves of 4 bytes */
INLINE uint32_t in_bytes(uint32_t nibbles) {
    uint32_t pairs = (nibbles | nibbles << 8) & 0x00ff00ff;
    return (pairs | pairs << 4) & 0x0f0f0f0f;
}

/* the codes of columns 8 g .. 8 g + 7 */
INLINE int lay_eight(uint32_t codes, int64_t g, uint8_t *row) {
    uint32_t biased = codes ^ 0x88888888, low = in_bytes(biased & 0xffff), high = in_bytes(biased >> 16);
    uint32_t bytes = low | high << 4;
    memcpy(row + g * V, &bytes, 4);
    return (int)((low + high) * 0x01010101 >> 24) - 64;
}

static int lay_dense(int cols, const uint8_t *codes, uint8_t *row) {
    int sum = 0;
    int64_t bytes = whole(cols, 2);
    for (int64_t g = 0; 4 * g < bytes; g++) {
        uint32_t eight = 0;
        memcpy(&eight, codes + 4 * g, bytes - 4 * g < 4 ? (size_t)(bytes - 4 * g) : 4);
        sum += lay_eight(eight, g, row);
    }
    return sum;
}

/* a bitmap as a row of dense codes */
static int lay_filled(int cols, int64_t index_bytes, const uint8_t *codes, const uint8_t *index, uint8_t *row) {
    int sum = 0;
    int64_t kept = 0;
    for (int64_t g = 0; 8 * g < index_bytes; g++) {
        uint32_t eights[8] = {0};
        for (uint64_t mask = mask_of(index, index_bytes, g); mask; mask &= mask - 1) {
            int c = __builtin_ctzll(mask);
            eights[c / 8] |= (uint32_t)nibble(codes, kept++) << c % 8 * 4;
        }
        for (int i = 0; i < 8 && 64 * g + 8 * i < cols; i++) sum += lay_eight(eights[i], 8 * g + i, row);
    }
    return sum;
}

#if BITMAPS
/* ---- bitmaps ---- */

/* One row of a bitmap. Masks are `stride` bytes apart; the codes of a group follow its mask (32:64), or those of the group before (unstructured). */
static int lay_bitmap(int64_t index_bytes, const uint8_t *codes, const uint8_t *index, uint8_t *masks, int stride,
                      uint8_t *laid_out) {
    int sum = 0;
    int64_t first = 0;
    for (int64_t g = 0; 8 * g < index_bytes; g++, masks += stride) {
        uint64_t mask = mask_of(index, index_bytes, g), nibbles[4] = {0};
        int kept = __builtin_popcountll(mask);
        for (int i = 0; i < kept; i++) {
            int code = nibble(codes, first + i);
            if (stride == 24)
                nibbles[i % 16 / 8] |= (uint64_t)code << (i % 8 * 8 + i / 16 * 4);
            else
                nibbles[i / 16] |= (uint64_t)code << i % 16 * 4;
            sum += signed_nibble(code);
        }
        first += kept;
        for (int i = 0; i < 4; i++) nibbles[i] ^= 0x8888888888888888u;
        memcpy(masks, &mask, 8);
        memcpy(laid_out, nibbles, (size_t)code_bytes(kept));
        laid_out += stride == 8 ? code_bytes(kept) : stride;
    }
    return sum;
}

static void lay_unstructured(int rows, int cols, int from, int to, const uint8_t *codes, const uint8_t *index,
                             uint8_t *layout, int32_t *sums) {
    int64_t groups = whole(cols, 64), bytes = index_row_bytes(UNSTRUCTURED, cols), in_file = 0;
    int64_t start = 8 * ((int64_t)rows + 1) + 8 * groups * rows;
    uint8_t *masks = layout + 8 * ((int64_t)rows + 1);
    count_rows(cols, 0, from, index, &in_file, &start);
    for (int r = from; r < to; r++) {
        memcpy(layout + 8 * (int64_t)r, &start, 8);
        sums[r] = BIAS * lay_bitmap(bytes, codes + in_file, index + r * bytes, masks + 8 * groups * r, 8, layout + start);
        count_rows(cols, r, r + 1, index, &in_file, &start);
    }
    if (to == rows) memcpy(layout + 8 * (int64_t)rows, &start, 8);
}
#endif

/* ---- all patterns ---- */

OBR_API void NAME(obr_packed_lay)(int32_t pattern, int32_t rows, int32_t cols, int32_t from, int32_t to,
                                  const void *codes, const void *index, void *layout, int32_t *sums) {
    (void)rows;
    int as = laid_out_as(pattern), panel = panel_rows(as);
    int64_t code_bytes_of_row = code_row_bytes(pattern, cols), index_bytes = index_row_bytes(pattern, cols);
    const uint8_t *row_codes = (const uint8_t *)codes + from * code_bytes_of_row;
    const uint8_t *row_index = (const uint8_t *)index + from * index_bytes;
#if BITMAPS
    if (as == UNSTRUCTURED) {
        lay_unstructured(rows, cols, from, to, codes, index, layout, sums);
        return;
    }
#endif
    if (pattern == UNSTRUCTURED) {
        int64_t in_file = 0, laid_out = 0;
        count_rows(cols, 0, from, index, &in_file, &laid_out);
        row_codes = (const uint8_t *)codes + in_file;
    }
    for (int r = from; r < to; r++, row_codes += code_bytes_of_row, row_index += index_bytes) {
#if BITMAPS
        if (as == HALF_OF_64) {
            uint8_t *row = (uint8_t *)layout + r * 3 * index_bytes;
            sums[r] = BIAS * lay_bitmap(index_bytes, row_codes, row_index, row, 24, row + 8);
            continue;
        }
#endif
        int64_t bytes = panel_bytes(as, cols), vectors = bytes / V, period = as == DENSE ? 1 : as == PAIRS_4_OF_8 ? 5 : 3;
        uint8_t *row = (uint8_t *)layout + r / panel * bytes;
        if (r % panel == 0)
            for (int64_t v = 0; v < vectors; v++) memset(row + v * V, as != DENSE && v % period == 0 ? 0 : 0x88, V);
        row += as == DENSE ? r % panel * 4 : r % panel * U;
        int sum = 0;
        switch (pattern) {
        case DENSE: sum = lay_dense(cols, row_codes, row); break;
        case TWO_OF_FOUR: sum = lay_two_of_four(cols, row_codes, row_index, row); break;
        case FOUR_OF_EIGHT: sum = lay_four_of_eight(cols, row_codes, row_index, row); break;
        case PAIRS_4_OF_8: sum = lay_pairs(cols, row_codes, row_index, row); break;
        default: sum = lay_filled(cols, index_bytes, row_codes, row_index, row); break;
        }
        sums[r] = BIAS * sum;
        if (pattern == UNSTRUCTURED) {
            int64_t in_file = 0, laid_out = 0;
            count_rows(cols, r, r + 1, index, &in_file, &laid_out);
            row_codes += in_file;
        }
    }
}

/* ---- activations ----
 *
 *   4:8p, for every U / 2 groups of 8 columns: the first columns of all their pairs, then the second
 *   else in order
 *
 * Tokens lie an odd number of cache lines apart: at a power of two, the lines of 8 tokens would share 1 or 2 sets of L1 and drive each other out (AVX-512: 0.7 of the speed).
 */

INLINE int64_t input_columns(int cols) { return whole(cols, 64) * 64; }

INLINE int64_t input_stride(int cols) { return input_columns(cols) | 64; }

OBR_API int64_t NAME(obr_packed_input_size)(int32_t pattern, int32_t cols) {
    (void)pattern;
    return input_stride(cols);
}

INLINE uint8_t input_code(float x, float scale, float most) {
    float code = __builtin_rintf(x / scale);
    code = code > -most - 1 ? code : -most - 1; /* a NaN becomes the least code */
    code = code < most ? code : most;
    return (uint8_t)((int)code + BIAS);
}

OBR_API void NAME(obr_packed_input)(int32_t pattern, int32_t cols, const float *x, float scale, int32_t most,
                                    void *input) {
    const int half = 2 * U; /* columns of one kind in a vector's groups of 4:8p */
    uint8_t *y = input;
    int64_t c = 0;
    memset(y, BIAS, (size_t)input_columns(cols));
    if (pattern == PAIRS_4_OF_8) {
        for (; c + 2 * half <= cols; c += 2 * half)
            for (int i = 0; i < half; i++) {
                y[c + i] = input_code(x[c + 2 * i], scale, (float)most);
                y[c + half + i] = input_code(x[c + 2 * i + 1], scale, (float)most);
            }
        for (int i = 0; c + i < cols; i++) y[c + i % 2 * half + i / 2] = input_code(x[c + i], scale, (float)most);
    } else {
        for (; c < cols; c++) y[c] = input_code(x[c], scale, (float)most);
    }
}
