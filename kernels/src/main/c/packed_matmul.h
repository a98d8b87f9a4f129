/*
 * Which of the products multiplies how many tokens; whichever, the sums are the same.
 *
 *     packed_dot.h      weights multiplied as they lie       few tokens, and many where gathering activations is faster than unpacking weights
 *     packed_rows.h     rows of bitmaps, spread              9 to 63 tokens, AVX-512
 *     packed_tiles.h    tiles of weights, unpacked           from 16 tokens AMX and NEON all patterns, AVX2 dense ones; from 64 AVX-512 bitmaps
 *
 * AVX2's product is two instructions, so that a tile with all its zeros costs more than gathering what was kept. Of AVX-512 the gathering product is the faster one, too, and even of dense
 * weights the one without a tile; bitmaps take long to spread, so that it is done once.
 */
#include "packed_dot.h"
#include "packed_tiles.h"
#if BITMAPS
#include "packed_rows.h"
#endif

/* where unpacking tiles begins to pay */
INLINE int tokens_in_tiles(int pattern) {
#if defined(OBR_AMX) || defined(OBR_DOTPROD)
    (void)pattern;
    return 16;
#elif defined(OBR_AVX512VNNI)
    return is_bitmap(pattern) ? SPREAD_TOKENS + 1 : INT32_MAX;
#else
    return pattern == DENSE ? 16 : INT32_MAX;
#endif
}

OBR_API void NAME(obr_packed_matmul)(int32_t pattern, int32_t rows, int32_t cols, int32_t from, int32_t to,
                                     const void *layout, const int32_t *sums, const float *scales, const void *inputs,
                                     const float *input_scales, int32_t tokens, float *y, int64_t y_stride) {
    pattern = laid_out_as(pattern);
    if (tokens >= tokens_in_tiles(pattern))
        matmul_many(pattern, rows, cols, from, to, layout, sums, scales, inputs, input_scales, tokens, y, y_stride);
#if BITMAPS
    else if (is_bitmap(pattern) && tokens > FEW_TOKENS)
        matmul_rows(pattern, rows, cols, from, to, layout, sums, scales, inputs, input_scales, tokens, y, y_stride);
#endif
    else
        matmul_few(pattern, rows, cols, from, to, layout, sums, scales, inputs, input_scales, tokens, y, y_stride);
}
