/*
 * Attention over codes of every instruction set against a plain computation in double, on memory that ends where the last tile does; and, under AddressSanitizer and
 * UndefinedBehaviorSanitizer (make test-native), nothing outside of a buffer is read or written. Codes themselves are held to KvQuantizer by the Java tests.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obrkernels.h"

typedef struct {
    const char *name;
    int set;
    void (*store)(int32_t, int32_t, int32_t, const float *, int64_t, int32_t, int32_t, void *, int64_t, int32_t);
    void (*attend)(int32_t, int32_t, const float *, int32_t, int32_t, int64_t, const void *, const void *, int32_t,
                   int32_t, int32_t, float, float *);
    void (*merge)(int32_t, float *, int32_t, int32_t, int32_t, float *, int64_t);
} kernels;

#define KERNELS(NAME, SET) {#NAME, SET, obr_store_codes_##NAME, obr_attend_codes_##NAME, obr_merge_attention_##NAME}

static const kernels all_kernels[] = {
    KERNELS(generic, GENERIC),
#if defined(__x86_64__)
    KERNELS(avx2, AVX2),
    KERNELS(avx512, AVX512),
#endif
};
enum { KERNEL_SETS = sizeof all_kernels / sizeof *all_kernels, TILE = 16, BLOCK = 256 };

/* values on a grid of 1/4 from -1 to 2.75, both ends among them: 4 bits hold them exactly, 8 bits nearly */
static float on_grid(int i) { return (float)(i * 7 % 16 - 4) / 4; }

static void *memory(int64_t bytes) {
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes ? (size_t)bytes : 1)) abort();
    return p;
}

static float *floats(int64_t n, int from) {
    float *x = memory(4 * n);
    for (int64_t i = 0; i < n; i++) x[i] = on_grid((int)(i + i / 16) + from);
    return x;
}

/* the largest error over all outputs */
static double error(const kernels *k, int bits, int head_dim, int group, int tokens, int positions) {
    int64_t n = (int64_t)positions * head_dim, width = (int64_t)group * head_dim, size = head_dim + 2;
    int64_t bytes = 4 * TILE * ((head_dim * bits + 31) / 32 + 1) * (((int64_t)positions + TILE - 1) / TILE);
    int spans = (positions + BLOCK - 1) / BLOCK;
    float *q = floats(tokens * width, 3), *keys = floats(n, 0), *values = floats(n, 5);
    uint8_t *key_tiles = memory(bytes), *value_tiles = memory(bytes);
    float *results = memory(4 * spans * tokens * group * size), *out = memory(4 * tokens * width);
    memset(key_tiles, 255, (size_t)bytes);
    memset(value_tiles, 255, (size_t)bytes);
    k->store(bits, head_dim, 0, keys, head_dim, positions, 1, key_tiles, bytes, 0);
    k->store(bits, head_dim, 1, values, head_dim, positions, 1, value_tiles, bytes, 0);
    int first = positions - tokens + 1;
    float scale = 0.5f / sqrtf((float)head_dim);
    for (int s = 0; s < spans; s++) {
        int to = (s + 1) * BLOCK < positions ? (s + 1) * BLOCK : positions;
        k->attend(bits, head_dim, q, tokens, group, width, key_tiles, value_tiles, first, s * BLOCK, to, scale,
                  results + s * tokens * group * size);
    }
    k->merge(head_dim, results, spans, tokens, group, out, width);
    double worst = 0, *sums = memory(8 * (int64_t)head_dim);
    for (int t = 0; t < tokens; t++)
        for (int g = 0; g < group; g++) {
            const float *query = q + t * width + g * head_dim;
            double total = 0;
            memset(sums, 0, 8 * (size_t)head_dim);
            for (int p = 0; p < first + t; p++) {
                double score = 0;
                for (int d = 0; d < head_dim; d++) score += (double)query[d] * keys[p * head_dim + d];
                double e = exp(scale * score);
                total += e;
                for (int d = 0; d < head_dim; d++) sums[d] += e * values[p * head_dim + d];
            }
            for (int d = 0; d < head_dim; d++) {
                double off = fabs(out[t * width + g * head_dim + d] - sums[d] / total);
                worst = off <= worst ? worst : off; /* a NaN is worst */
            }
        }
    free(q), free(keys), free(values), free(key_tiles), free(value_tiles), free(results), free(out), free(sums);
    return worst;
}

int main(void) {
    static const int shapes[][4] = {/* head_dim, group, tokens, positions */
                                    {16, 1, 1, 1},   {20, 3, 1, 5},   {64, 4, 1, 64},  {80, 7, 2, 65},  {128, 2, 3, 150},
                                    {16, 5, 1, 513}, {64, 1, 40, 270}, {300, 1, 2, 33}, {256, 15, 1, 16}, {34, 2, 1, 17}};
    int failures = 0;
    for (int s = 0; s < KERNEL_SETS; s++) {
        const kernels *k = all_kernels + s;
        if (!obr_supports(k->set)) {
            printf("attention over codes, %s: skipped, this processor has no such instructions\n", k->name);
            continue;
        }
        for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
            for (int bits = 4; bits <= 8; bits += 4) {
                const int *shape = shapes[i];
                double off = error(k, bits, shape[0], shape[1], shape[2], shape[3]);
                /* 8 bits: half a step of 3.75 / 255 in keys and values */
                double allowed = bits == 4 ? 1e-3 : 3e-2;
                if (off <= allowed) continue;
                printf("attention over codes, %s, %d bits, head_dim %d, group %d, %d tokens, %d positions: off by %g\n",
                       k->name, bits, shape[0], shape[1], shape[2], shape[3], off);
                failures++;
            }
        printf("attention over codes, %s: %d cases\n", k->name, (int)(2 * sizeof shapes / sizeof *shapes));
    }
    return failures != 0;
}
