/*
 * The C interface of the integer kernels for packed weights. Each function exists once per instruction set, its name ending in _avx2, _avxvnni, _avx512vnni, _amx or _dotprod.
 *
 *     y[t][r] = scale[r] * xscale[t] * sum over c of code[r][c] * x[t][c]        the sum exact, in int32
 *
 * Codes of weights have 4 bits, -8..7; codes x of activations 8 bits, -128..127. Weights come in the file's layout (docs/format.md) and are laid out once for the instruction
 * set that will multiply them (packed_layout.h); activations likewise, for each linear layer that they enter.
 */
#ifndef OBR_PACKED_H
#define OBR_PACKED_H

#include "obrkernels.h"

/* Where the mask keeps entries: the ordinals of dev.obr.kernels.packed.Pattern. */
enum { DENSE, UNSTRUCTURED, TWO_OF_FOUR, FOUR_OF_EIGHT, HALF_OF_64, PAIRS_4_OF_8 };

/* Instruction sets of the integer kernels, slowest first. */
enum { PACKED_AVX2, PACKED_AVXVNNI, PACKED_AVX512VNNI, PACKED_AMX, PACKED_DOTPROD };

/* Compilers that know AMX (gcc 11, clang 11) have a header for it; others build everything else. */
#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<amxint8intrin.h>)
#define OBR_COMPILES_AMX 1
#endif
#endif
#if !defined(OBR_COMPILES_AMX)
#define OBR_COMPILES_AMX 0
#endif

/* Rows are laid out and multiplied in panels: ranges of rows begin at multiples of this. */
enum { PACKED_GRAIN = 16 };

/* The most columns that int32 sums hold: 8 * 255 * 2^20 < 2^31. */
enum { PACKED_COLS = 1 << 20 };

/* Whether instruction set `set` of the integer kernels may be used here: OBR_RUNS or why not. */
OBR_API int32_t obr_packed_supports(int32_t set);

#define OBR_DECLARE_PACKED(SET)                                                                                        \
    /* bytes of a weight's layout; index [rows, ..] is the file's and read only for the unstructured pattern */       \
    OBR_API int64_t obr_packed_size_##SET(int32_t pattern, int32_t rows, int32_t cols, const void *index);            \
    /* rows from..to of codes, index: the whole weight in the file's layout -> layout, aligned to 64; sums [rows] */  \
    OBR_API void obr_packed_lay_##SET(int32_t pattern, int32_t rows, int32_t cols, int32_t from, int32_t to,          \
                                      const void *codes, const void *index, void *layout, int32_t *sums);             \
    /* bytes of one token's activations in the order of the pattern, a multiple of 64 */                              \
    OBR_API int64_t obr_packed_input_size_##SET(int32_t pattern, int32_t cols);                                       \
    /* x [cols] -> input: codes clamp(rint(x / scale), -most - 1, most), in the order of the pattern; most: 127 or 7 */\
    OBR_API void obr_packed_input_##SET(int32_t pattern, int32_t cols, const float *x, float scale, int32_t most,     \
                                        void *input);                                                                 \
    /* rows from..to of W [rows, cols] . inputs [tokens, input_size] -> y [tokens, y_stride], columns from..to */     \
    OBR_API void obr_packed_matmul_##SET(int32_t pattern, int32_t rows, int32_t cols, int32_t from, int32_t to,       \
                                         const void *layout, const int32_t *sums, const float *scales,                \
                                         const void *inputs, const float *input_scales, int32_t tokens, float *y,     \
                                         int64_t y_stride);

#if defined(__x86_64__)
OBR_DECLARE_PACKED(avx2)
OBR_DECLARE_PACKED(avxvnni)
OBR_DECLARE_PACKED(avx512vnni)
#if OBR_COMPILES_AMX
OBR_DECLARE_PACKED(amx)
#endif
#elif defined(__aarch64__)
OBR_DECLARE_PACKED(dotprod)
#endif

#endif
