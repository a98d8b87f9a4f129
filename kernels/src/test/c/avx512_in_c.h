/* The few AVX-512 and AVX-VNNI instructions of the integer kernels, written out in C after their vendor's descriptions: tests then run those kernels on any x86 processor. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t b[64];
} bytes64;

#define EMULATE static inline __attribute__((unused))

EMULATE bytes64 bytes_of(__m512i v) {
    bytes64 r;
    memcpy(r.b, &v, 64);
    return r;
}

EMULATE __m512i vector_of(bytes64 r) {
    __m512i v;
    memcpy(&v, r.b, 64);
    return v;
}

EMULATE __m512i emulated_shuffle(__m512i table, __m512i index) {
    bytes64 t = bytes_of(table), i = bytes_of(index), r;
    for (int n = 0; n < 64; n++) r.b[n] = i.b[n] & 0x80 ? 0 : t.b[(n & 48) + (i.b[n] & 15)];
    return vector_of(r);
}

EMULATE __m256i emulated_half(__m512i v, int half) {
    __m256i r;
    memcpy(&r, (char *)&v + 32 * half, 32);
    return r;
}

EMULATE __m512i emulated_permute(__m512i index, __m512i table) {
    bytes64 t = bytes_of(table), i = bytes_of(index), r;
    for (int n = 0; n < 64; n++) r.b[n] = t.b[i.b[n] & 63];
    return vector_of(r);
}

EMULATE __m512i emulated_permute2(__m512i a, __m512i index, __m512i b) {
    uint32_t from[32], i[16], r[16];
    memcpy(from, &a, 64), memcpy(from + 16, &b, 64), memcpy(i, &index, 64);
    for (int n = 0; n < 16; n++) r[n] = from[i[n] & 31];
    memcpy(&a, r, 64);
    return a;
}

EMULATE __m512i emulated_expand(__m512i others, uint64_t mask, __m512i packed) {
    bytes64 p = bytes_of(packed), r = bytes_of(others);
    for (int n = 0, next = 0; n < 64; n++)
        if (mask >> n & 1) r.b[n] = p.b[next++];
    return vector_of(r);
}

EMULATE __m512i emulated_widen(__m256i narrow) {
    uint8_t from[32];
    bytes64 r = {{0}};
    memcpy(from, &narrow, 32);
    for (int n = 0; n < 32; n++) r.b[2 * n] = from[n];
    return vector_of(r);
}

EMULATE __m512i emulated_repeat(const void *p, int bytes) {
    bytes64 r;
    for (int n = 0; n < 64; n += bytes) memcpy(r.b + n, p, (size_t)bytes);
    return vector_of(r);
}

EMULATE void emulated_dot(int32_t *acc, const uint8_t *x, const int8_t *w, int lanes) {
    for (int n = 0; n < 4 * lanes; n++) acc[n / 4] += x[n] * w[n];
}

EMULATE __m512i emulated_dot512(__m512i acc, __m512i x, __m512i w) {
    int32_t a[16];
    bytes64 xs = bytes_of(x), ws = bytes_of(w);
    memcpy(a, &acc, 64);
    emulated_dot(a, xs.b, (const int8_t *)ws.b, 16);
    memcpy(&acc, a, 64);
    return acc;
}

EMULATE __m256i emulated_dot256(__m256i acc, __m256i x, __m256i w) {
    int32_t a[8];
    uint8_t xs[32];
    int8_t ws[32];
    memcpy(a, &acc, 32), memcpy(xs, &x, 32), memcpy(ws, &w, 32);
    emulated_dot(a, xs, ws, 8);
    memcpy(&acc, a, 32);
    return acc;
}

EMULATE __m512i emulated_16(__m128i v) { return emulated_repeat(&v, 16); }

EMULATE __m512i emulated_32(__m256i v) { return emulated_repeat(&v, 32); }

#define _mm512_shuffle_epi8 emulated_shuffle
#define _mm512_permutexvar_epi8 emulated_permute
#define _mm512_permutex2var_epi32 emulated_permute2
#define _mm512_mask_expand_epi8 emulated_expand
#define _mm512_cvtepu8_epi16 emulated_widen
#define _mm512_broadcast_i32x4 emulated_16
#define _mm512_broadcast_i64x4 emulated_32
#define _mm512_castsi256_si512 emulated_32 /* the upper half may be anything */
#define _mm512_castsi512_si256(v) emulated_half(v, 0)
#define _mm512_extracti64x4_epi64 emulated_half
#define _mm512_dpbusd_epi32 emulated_dot512
#define _mm256_dpbusd_avx_epi32 emulated_dot256
