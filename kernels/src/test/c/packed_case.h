/*
 * A packed weight in the file's layout (docs/format.md), random, and what it multiplies: shared by the test and the benchmark of the integer kernels.
 * Decoding here follows the document, entry by entry, and knows nothing of packed_layout.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packed.h"

typedef struct {
    int pattern, rows, cols;
    uint8_t *codes, *index;
    int64_t code_bytes, index_bytes;
    float *scales;
} weight;

static const char *const pattern_names[] = {"dense", "unstructured", "2:4", "4:8", "32:64", "4:8p"};

static uint64_t random_state = 1;

static uint32_t random_bits(void) { /* xorshift64*, upper half */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)(random_state * 0x2545f4914f6cdd1du >> 32);
}

static int random_below(int n) { return (int)((uint64_t)random_bits() * (uint64_t)n >> 32); }

/* fails loudly: tests run out of memory only by mistake */
static void *memory(int64_t bytes) {
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes ? (size_t)bytes : 1)) abort();
    return p;
}

static int64_t up(int64_t n, int64_t group) { return (n + group - 1) / group; }

/* `kept` distinct ones among `n` bits */
static uint64_t random_mask(int n, int kept) {
    uint64_t mask = 0;
    for (int left = n; left > 0; left--) /* selection sampling */
        if (random_below(left) < kept) {
            mask |= 1ull << (n - left);
            kept--;
        }
    return mask;
}

/* A row's index; returns how many entries it keeps. `density` of 256 entries of unstructured rows are kept. */
static int random_index(int pattern, int cols, int density, uint8_t *index) {
    static const uint8_t fields[] = {0x4, 0x8, 0xc, 0x9, 0xd, 0xe};
    int kept = 0;
    switch (pattern) {
    case DENSE: return cols;
    case UNSTRUCTURED:
        for (int c = 0; c < cols; c++)
            if (random_below(256) < density) {
                index[c / 8] |= (uint8_t)(1 << c % 8);
                kept++;
            }
        return kept;
    case HALF_OF_64:
        for (int g = 0; g < up(cols, 64); g++) {
            uint64_t mask = random_mask(64, 32);
            memcpy(index + 8 * g, &mask, 8);
        }
        return (int)up(cols, 64) * 32;
    case FOUR_OF_EIGHT:
        for (int g = 0; g < up(cols, 8); g++) index[g] = (uint8_t)random_mask(8, 4);
        return (int)up(cols, 8) * 4;
    default: {
        int group = pattern == TWO_OF_FOUR ? 4 : 8;
        for (int g = 0; g < up(cols, group); g++) index[g / 2] |= (uint8_t)(fields[random_below(6)] << g % 2 * 4);
        return (int)up(cols, group) * group / 2;
    }
    }
}

static int64_t index_row(int pattern, int cols) {
    return pattern == DENSE          ? 0
           : pattern == HALF_OF_64   ? 8 * up(cols, 64)
           : pattern == TWO_OF_FOUR  ? up(up(cols, 4), 2)
           : pattern == PAIRS_4_OF_8 ? up(up(cols, 8), 2)
                                     : up(cols, 8);
}

/* extreme: only the codes -8 and 7 */
static weight random_weight(int pattern, int rows, int cols, int density, int extreme) {
    int64_t row = index_row(pattern, cols), at = 0;
    int64_t most = up(up(cols, 64) * 64, 2) * rows;
    weight w = {.pattern = pattern, .rows = rows, .cols = cols, .index_bytes = row * rows};
    w.index = memory(w.index_bytes);
    memset(w.index, 0, (size_t)w.index_bytes);
    w.scales = memory(4 * (int64_t)rows);
    uint8_t *codes = memory(most);
    for (int r = 0; r < rows; r++) {
        int kept = random_index(pattern, cols, density, w.index + r * row);
        for (int i = 0; i < kept; i++) {
            int code = extreme ? random_below(8) ? 8 : 7 : random_below(16);
            uint8_t *byte = codes + at + i / 2;
            *byte = (uint8_t)(i % 2 ? *byte | code << 4 : code);
        }
        at += up(kept, 2);
        w.scales[r] = (float)(random_below(2001) - 1000) / 1024;
    }
    w.code_bytes = at;
    w.codes = memory(at); /* exactly as many, so that reading further is found */
    memcpy(w.codes, codes, (size_t)at);
    free(codes);
    return w;
}

static inline void free_weight(weight w) {
    free(w.codes);
    free(w.index);
    free(w.scales);
}

static int code_at(const uint8_t *row, int64_t i) {
    int n = row[i / 2] >> i % 2 * 4 & 15;
    return n < 8 ? n : n - 16;
}

/* all codes in place [rows, cols], 0 where nothing is kept */
static inline int8_t *decoded(weight w) {
    int8_t *plain = memory((int64_t)w.rows * w.cols);
    memset(plain, 0, (size_t)w.rows * (size_t)w.cols);
    const uint8_t *codes = w.codes;
    for (int r = 0; r < w.rows; r++) {
        const uint8_t *index = w.index + r * index_row(w.pattern, w.cols);
        int kept = 0, group = w.pattern == TWO_OF_FOUR ? 4 : 8, unit = w.pattern == TWO_OF_FOUR ? 1 : 2;
        int padded = (int)(w.pattern == HALF_OF_64      ? up(w.cols, 64) * 64
                           : w.pattern == FOUR_OF_EIGHT ? up(w.cols, 8) * 8
                                                        : w.cols);
        if (w.pattern == TWO_OF_FOUR || w.pattern == PAIRS_4_OF_8) {
            for (int g = 0; g < up(w.cols, group); g++)
                for (int i = 0; i < 2; i++)
                    for (int u = 0; u < unit; u++) {
                        int field = index[g / 2] >> g % 2 * 4 >> 2 * i & 3, c = g * group + field * unit + u;
                        int code = code_at(codes, kept++);
                        if (c < w.cols) plain[(int64_t)r * w.cols + c] = (int8_t)code;
                    }
        } else {
            for (int c = 0; c < padded; c++) {
                if (w.pattern != DENSE && !(index[c / 8] >> c % 8 & 1)) continue;
                int code = code_at(codes, kept++);
                if (c < w.cols) plain[(int64_t)r * w.cols + c] = (int8_t)code;
            }
        }
        codes += up(kept, 2);
    }
    return plain;
}

/* ---- the kernels under test ---- */

typedef struct {
    const char *name;
    int set;
    int64_t (*size)(int32_t, int32_t, int32_t, const void *);
    void (*lay)(int32_t, int32_t, int32_t, int32_t, int32_t, const void *, const void *, void *, int32_t *);
    int64_t (*input_size)(int32_t, int32_t);
    void (*input)(int32_t, int32_t, const float *, float, int32_t, void *);
    void (*matmul)(int32_t, int32_t, int32_t, int32_t, int32_t, const void *, const int32_t *, const float *,
                   const void *, const float *, int32_t, float *, int64_t);
} kernels;

#define KERNELS(NAME, SET)                                                                                        \
    {#NAME,                   SET, obr_packed_size_##NAME, obr_packed_lay_##NAME, obr_packed_input_size_##NAME, \
     obr_packed_input_##NAME, obr_packed_matmul_##NAME}

static const kernels all_kernels[] = {
#if defined(__x86_64__)
    KERNELS(avx2, PACKED_AVX2),
    KERNELS(avxvnni, PACKED_AVXVNNI),
    KERNELS(avx512vnni, PACKED_AVX512VNNI),
#if OBR_COMPILES_AMX
    KERNELS(amx, PACKED_AMX),
#endif
#elif defined(__aarch64__)
    KERNELS(dotprod, PACKED_DOTPROD),
#endif
};
enum { KERNEL_SETS = sizeof all_kernels / sizeof *all_kernels };
