/*
 * Vectors of LANES floats: the only file that differs between instruction sets.
 *
 * Arithmetic is written with the vector operators of GCC and Clang (a * b + c becomes a fused multiply-add where the instruction set has one), so an instruction set is
 * LANES plus a few functions: widen bytes and half floats, narrow to half floats, interleave two vectors, add up the lanes, multiply 16-bit numbers. Included once per instruction set,
 * which sets LANES.
 */
#include <stdint.h>
#include <string.h>

#if defined(OBR_AVX2) || defined(OBR_AVX512)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights are little-endian: build without the native kernels on this machine"
#endif

#define INLINE static inline __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(4 * LANES)));    /* LANES floats */
typedef int32_t vi __attribute__((vector_size(4 * LANES)));  /* their bits */
typedef uint16_t vh __attribute__((vector_size(2 * LANES))); /* LANES half floats */

INLINE vf load(const void *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

INLINE vf splat(float s) { return s - (vf){0}; }

INLINE vf zero(void) { return (vf){0}; }

/* mask lanes are all ones or all zeros */
INLINE vf choose(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }

INLINE vf larger(vf a, vf b) { return choose(a > b, a, b); }

/* keeps a loaded vector where it is: compilers like to load it again for each use, which costs more than the registers that it saves */
INLINE vf in_register(vf v) {
#if defined(__x86_64__)
    __asm__("" : "+v"(v));
#elif defined(__aarch64__)
    __asm__("" : "+w"(v));
#endif
    return v;
}

/* the same for integers; a sum that goes through it is not put off, which costs a register for each of its terms */
INLINE vi words_in_register(vi v) { return (vi)in_register((vf)v); }

INLINE int at_most(int a, int limit) { return a < limit ? a : limit; }

INLINE void prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }

INLINE void prefetch_to_write(const void *p) { __builtin_prefetch(p, 1, 3); }

/* One half float. Scaling by 2^112 moves the exponent's bias from 15 to 127 and normalises subnormals; infinities and NaNs then get the exponent they lack. */
INLINE float widen_one(uint16_t h) {
    uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13;
    float v;
    memcpy(&v, &magnitude, 4);
    v *= 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &v, 4);
    bits |= (uint32_t)(h & 0x8000) << 16;
    if (magnitude >= 0x7c00u << 13) bits |= 0x7f800000u;
    memcpy(&v, &bits, 4);
    return v;
}

INLINE float widen_bf16_one(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float v;
    memcpy(&v, &bits, 4);
    return v;
}

/* Round to nearest even. Below 2^-14 adding 0.5 lets the adder round to the subnormal's step 2^-24. */
INLINE uint16_t narrow_one(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint32_t sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (bits >> 13 & 0x3ff));
    if (bits >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
    if (bits < 0x38800000) {
        float v;
        memcpy(&v, &bits, 4);
        v += 0.5f;
        memcpy(&bits, &v, 4);
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    return (uint16_t)(sign | (bits - (112u << 23) + 0xfff + (bits >> 13 & 1)) >> 13);
}

/* LANES codes of 4 bits, -8..7, the first in the low half of a byte. Every lane gets all 8 codes of 4 bytes, and its own moves to the top, from where it comes down with its sign. */
INLINE vi load_s4(const uint8_t *p) {
    int32_t eight = 0;
    memcpy(&eight, p, LANES < 8 ? LANES / 2 : 4);
    vi codes = eight - (vi){0};
#if LANES > 8
    vi second;
    memcpy(&eight, p + 4, 4);
    for (int lane = 0; lane < LANES; lane++) second[lane] = lane < 8 ? 0 : -1;
    codes = (codes & ~second) | ((eight - (vi){0}) & second);
#endif
    vi up;
    for (int lane = 0; lane < LANES; lane++) up[lane] = 28 - 4 * (lane % 8);
    return codes << up >> 28;
}

INLINE vi load_words(const void *p) {
    vi v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store_words(void *p, vi v) { memcpy(p, &v, sizeof v); }

INLINE vi splat_word(int32_t s) { return s - (vi){0}; }

/* 0, 1, 2 .. */
INLINE vi lane_numbers(void) {
    vi v = {0};
    for (int lane = 0; lane < LANES; lane++) v[lane] = lane;
    return v;
}

/* widen_one of the low halves of LANES words */
INLINE vf widen(vi bits) {
    vi magnitude = (bits & 0x7fff) << 13;
    vi special = magnitude >= (0x7c00 << 13);
    return (vf)((vi)((vf)magnitude * 0x1p112f) | (special & 0x7f800000) | (bits & 0x8000) << 16);
}

/* rint(x) for |x| < 2^22: the addition rounds to an integer, which the low bits then hold */
INLINE vi rounded(vf x) { return (vi)(x + 0x1.8p23f) - 0x4b400000; }

INLINE vf to_floats(vi v) { return __builtin_convertvector(v, vf); }

#if !defined(__aarch64__)

INLINE vf load_bf16(const void *p) {
    vh h;
    memcpy(&h, p, sizeof h);
    return (vf)(__builtin_convertvector(h, vi) << 16);
}

#endif

/* multiply_pairs: words hold two 16-bit numbers each -> a_low b_low + a_high b_high; load_s8_pairs: 2 LANES bytes, widened to such numbers */
#if defined(OBR_AVX512)

INLINE vi multiply_pairs(vi a, vi b) { return (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b); }

INLINE vi load_u8(const uint8_t *p) { return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)); }

INLINE vi load_s8(const uint8_t *p) { return (vi)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }

INLINE vi load_s8_pairs(const uint8_t *p) { return (vi)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)p)); }

INLINE vf load_f16(const void *p) { return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

INLINE void store_f16(void *p, vf v) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
}

INLINE float sum(vf v) { return _mm512_reduce_add_ps((__m512)v); }

/* a0 b0 a1 b1 ... of the lower halves */
INLINE vf zip_low(vf a, vf b) {
    const __m512i pick = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return (vf)_mm512_permutex2var_ps((__m512)a, pick, (__m512)b);
}

/* ... and of the upper halves */
INLINE vf zip_high(vf a, vf b) {
    const __m512i pick = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return (vf)_mm512_permutex2var_ps((__m512)a, pick, (__m512)b);
}

#elif defined(OBR_AVX2)

INLINE vi multiply_pairs(vi a, vi b) { return (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b); }

INLINE vi load_u8(const uint8_t *p) { return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }

INLINE vi load_s8(const uint8_t *p) { return (vi)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)); }

INLINE vi load_s8_pairs(const uint8_t *p) { return (vi)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p)); }

INLINE vf load_f16(const void *p) { return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

INLINE void store_f16(void *p, vf v) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
}

INLINE float sum(vf v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* a0 b0 a1 b1 ... of the lower halves */
INLINE vf zip_low(vf a, vf b) {
    return (vf)_mm256_permute2f128_ps(_mm256_unpacklo_ps((__m256)a, (__m256)b),
                                      _mm256_unpackhi_ps((__m256)a, (__m256)b), 0x20);
}

/* ... and of the upper halves */
INLINE vf zip_high(vf a, vf b) {
    return (vf)_mm256_permute2f128_ps(_mm256_unpacklo_ps((__m256)a, (__m256)b),
                                      _mm256_unpackhi_ps((__m256)a, (__m256)b), 0x31);
}

#elif defined(__aarch64__)

INLINE vi multiply_pairs(vi a, vi b) {
    int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    return (vi)vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}

INLINE vi load_u8(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, 4);
    return (vi)vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
}

INLINE vi load_s8(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, 4);
    return (vi)vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four))));
}

INLINE vi load_s8_pairs(const uint8_t *p) { return (vi)vmovl_s8(vld1_s8((const int8_t *)p)); }

INLINE uint16x4_t load_u16(const void *p) {
    uint64_t four;
    memcpy(&four, p, 8);
    return vcreate_u16(four);
}

INLINE vf load_bf16(const void *p) { return (vf)vshll_n_u16(load_u16(p), 16); }

INLINE vf load_f16(const void *p) { return (vf)vcvt_f32_f16(vreinterpret_f16_u16(load_u16(p))); }

INLINE void store_f16(void *p, vf v) {
    float16x4_t h = vcvt_f16_f32((float32x4_t)v);
    memcpy(p, &h, 8);
}

INLINE float sum(vf v) { return vaddvq_f32((float32x4_t)v); }

/* a0 b0 a1 b1 of the lower halves */
INLINE vf zip_low(vf a, vf b) { return (vf)vzip1q_f32((float32x4_t)a, (float32x4_t)b); }

/* ... and of the upper halves */
INLINE vf zip_high(vf a, vf b) { return (vf)vzip2q_f32((float32x4_t)a, (float32x4_t)b); }

#else

INLINE vi multiply_pairs(vi a, vi b) {
#if defined(__SSE2__) /* part of every x86-64 */
    return (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

INLINE vi load_u8(const uint8_t *p) {
    vi v;
    for (int i = 0; i < LANES; i++) v[i] = p[i];
    return v;
}

INLINE vi load_s8(const uint8_t *p) {
    vi v;
    for (int i = 0; i < LANES; i++) v[i] = (int8_t)p[i];
    return v;
}

INLINE vi load_s8_pairs(const uint8_t *p) {
    vi v;
    for (int i = 0; i < LANES; i++) v[i] = (uint16_t)(int8_t)p[2 * i] | (int8_t)p[2 * i + 1] * 65536;
    return v;
}

INLINE vf load_f16(const void *p) {
    vh h;
    memcpy(&h, p, sizeof h);
    return widen(__builtin_convertvector(h, vi));
}

INLINE void store_f16(void *p, vf v) {
    vh h;
    for (int i = 0; i < LANES; i++) h[i] = narrow_one(v[i]);
    memcpy(p, &h, sizeof h);
}

INLINE float sum(vf v) {
    float s = 0;
    for (int i = 0; i < LANES; i++) s += v[i];
    return s;
}

/* a0 b0 a1 b1 ... of the lower halves */
INLINE vf zip_low(vf a, vf b) {
    vf z;
    for (int i = 0; i < LANES; i++) z[i] = i % 2 ? b[i / 2] : a[i / 2];
    return z;
}

/* ... and of the upper halves */
INLINE vf zip_high(vf a, vf b) {
    vf z;
    for (int i = 0; i < LANES; i++) z[i] = i % 2 ? b[(LANES + i) / 2] : a[(LANES + i) / 2];
    return z;
}

#endif
