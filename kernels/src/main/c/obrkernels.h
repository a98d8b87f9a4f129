/*
 * The C interface of the native kernels. Each function exists once per instruction set, its name ending in _generic, _avx2 or _avx512;
 * Java (NativeKernels) asks obr_supports which of them may be called here and binds those.
 */
#ifndef OBR_KERNELS_H
#define OBR_KERNELS_H

#include <stdint.h>

#if defined(_WIN32)
#define OBR_API __declspec(dllexport)
#else
#define OBR_API __attribute__((visibility("default")))
#endif

/* How numbers are stored: the ordinals of dev.obr.kernels.DType. */
enum { F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K, CODES_8, CODES_4, TYPES };

/* Instruction sets, slowest first. */
enum { GENERIC, AVX2, AVX512 };

/* Changes whenever a signature does, so that Java never calls a stale library. */
enum { OBR_ABI = 4 };

OBR_API int32_t obr_abi(void);

/*
 * What became of an instruction set here: the processor lacks it; processor and operating system run it; the system does not save its registers;
 * this library was compiled without it; it belongs to another kind of processor.
 */
enum { OBR_ABSENT, OBR_RUNS, OBR_DISABLED, OBR_NOT_COMPILED, OBR_FOREIGN };

/* Whether instruction set `set` may be used here: one of the answers above. */
OBR_API int32_t obr_supports(int32_t set);

/* `bytes` of memory for weights, aligned to 64 and not cleared; null where there is none left. obr_release gives it back, of the same size. */
OBR_API void *obr_allocate(int64_t bytes);
OBR_API void obr_release(void *memory, int64_t bytes);

/* The whole pages of a read-only mapped file within `bytes` of memory leave this process; reading them again maps them again. Never for other memory, which would be lost. */
OBR_API void obr_forget(void *memory, int64_t bytes);

#define OBR_DECLARE(SET)                                                                                                    \
    /* W [.., cols] . x [tokens, cols] -> y [tokens, y_stride], columns from..to; row o of W starts at w + o * row_bytes */ \
    OBR_API void obr_matmul_##SET(int32_t type, const void *w, int64_t row_bytes, int32_t cols, int32_t from,               \
                                  int32_t to, const float *x, int32_t tokens, float *y, int64_t y_stride);                  \
    /* row [cols] -> y [cols] */                                                                                            \
    OBR_API void obr_dequantize_##SET(int32_t type, const void *row, int32_t cols, float *y);                               \
    OBR_API void obr_rms_norm_##SET(const float *x, const float *weight, float eps, int32_t n, float *y);                   \
    /* x [heads, head_dim] in place; cos_sin [head_dim] */                                                                  \
    OBR_API void obr_rope_##SET(float *x, int32_t heads, int32_t head_dim, const float *cos_sin);                           \
    /* q [group, head_dim], keys and values [positions, head_dim], scores [group, positions] -> out [group, head_dim] */    \
    OBR_API void obr_attention_##SET(const float *q, int32_t group, int32_t head_dim, const void *keys,                     \
                                     const void *values, int32_t kv, int32_t positions, float scale, float *scores,         \
                                     float *out);                                                                           \
    /* x [n, width] <- (H kron S) x / sqrt(n) in place; signs [order, order] of H, read only if order > 1; scale 1 / sqrt(n) */\
    OBR_API void obr_hadamard_##SET(float *x, int32_t n, int32_t width, int32_t order, const int8_t *signs,                 \
                                    float scale);                                                                           \
    OBR_API float obr_largest_##SET(const float *x, int32_t n);                                                             \
    /* the squared error of codes of 4 bits (most: 7) under a scale, less sum(x^2) */                                       \
    OBR_API double obr_code_error_##SET(const float *x, int32_t n, float scale, int32_t most);                              \
    /* x [tokens, x_stride], heads in turn -> codes of keys or values at `position` .. of each head's tiles (attention_codes.h), which lie head_bytes apart */\
    OBR_API void obr_store_codes_##SET(int32_t bits, int32_t head_dim, int32_t values, const float *x, int64_t x_stride,    \
                                       int32_t tokens, int32_t heads, void *memory, int64_t head_bytes, int32_t position);  \
    /* positions from..to, from a multiple of 256, for q [tokens, q_stride], of which the first token sees positions below `first`, the next one more ..;\
       results [tokens, group, head_dim + 2]: out, sum, largest score; sum 0 for a token that sees none of them */                 \
    OBR_API void obr_attend_codes_##SET(int32_t bits, int32_t head_dim, const float *q, int32_t tokens, int32_t group,      \
                                        int64_t q_stride, const void *keys, const void *values, int32_t first,              \
                                        int32_t from, int32_t to, float scale, float *results);                             \
    /* results [spans, tokens, group, head_dim + 2] of spans that follow each other -> out [tokens, out_stride] */          \
    OBR_API void obr_merge_attention_##SET(int32_t head_dim, float *results, int32_t spans, int32_t tokens,                 \
                                           int32_t group, float *out, int64_t out_stride);                                  \
    OBR_API void obr_silu_mul_##SET(float *gate, const float *up, int64_t n);                                               \
    OBR_API void obr_add_##SET(float *x, const float *y, int64_t n);                                                        \
    /* n floats -> F32 or F16 */                                                                                            \
    OBR_API void obr_store_##SET(const float *x, int32_t type, int32_t n, void *y);                                         \
    /* sum of n 64-bit words modulo 2^64: reads memory as fast as it can */                                                 \
    OBR_API int64_t obr_read_##SET(const int64_t *words, int64_t n);

OBR_DECLARE(generic)
#if defined(__x86_64__)
OBR_DECLARE(avx2)
OBR_DECLARE(avx512)
#endif

#endif
