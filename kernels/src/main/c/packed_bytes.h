/*
 * Vectors of V bytes, and the dot product of bytes: the only file of the integer kernels that differs between instruction sets.
 *
 * A weight's row takes U neighbouring bytes of a vector. What one product adds up, and where:
 *
 *               V    U    product(acc, x, w)                                          sums of 32 bits
 *   AVX2       32    2    vpmaddubsw, vpaddw: pairs of bytes, in 16 bits              two vectors: of even and of odd 16-bit lanes
 *   AVX-512    64    4    vpdpbusd: quads of bytes, in 32 bits                        one vector
 *   NEON       16    4    sdot: likewise                                              one vector
 *
 * The x86 instructions multiply unsigned bytes by signed ones: there activations are stored with BIAS = 128 added, and BIAS * sum(codes) of each row is subtracted at the end.
 * In 16 bits, a pair of products is at most 2 * 255 * 8 = 4080: eight of them fit (32640), then `end` adds them to the 32-bit sums. Nothing ever saturates.
 */
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights are little-endian: build without the native kernels on this machine"
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE static __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 8")

#if defined(OBR_DOTPROD)
#define V 16
#elif defined(OBR_AVX512VNNI)
#define V 64
#else
#define V 32
#endif
#define QUADS (V / 4) /* rows of a vector whose rows take 4 bytes each */

typedef uint8_t vb __attribute__((vector_size(V)));
typedef uint16_t vw __attribute__((vector_size(V)));
typedef uint32_t vd __attribute__((vector_size(V)));
typedef int32_t vi __attribute__((vector_size(V)));

INLINE vb load(const void *p) {
    vb v;
    memcpy(&v, p, V);
    return v;
}

INLINE void store(void *p, vb v) { memcpy(p, &v, V); }

INLINE vb low_nibbles(vb c) { return c & 15; }

INLINE vb high_nibbles(vb c) { return (vb)((vw)c >> 4) & 15; }

/* nibbles that hold code + 8 */
INLINE vb codes_of(vb nibbles) { return nibbles - 8; }

INLINE vb half_codes(vb c, int high) { return codes_of(high ? high_nibbles(c) : low_nibbles(c)); }

/* bits 2k+1:2k of every byte */
INLINE vb field(vb m, int k) { return (vb)((vw)m >> (2 * k)) & 3; }

/* the same 4 or 8 bytes everywhere: a load without a shuffle */
INLINE vb broadcast4(const void *p) {
    uint32_t four;
    memcpy(&four, p, 4);
    return (vb)(four - (vd){0});
}

INLINE vb broadcast8(const void *p) {
    typedef uint64_t vq __attribute__((vector_size(V)));
    uint64_t eight;
    memcpy(&eight, p, 8);
    return (vb)(eight - (vq){0});
}

INLINE int at_most(int a, int limit) { return a < limit ? a : limit; }

INLINE int64_t whole(int64_t n, int64_t group) { return (n + group - 1) / group; }

INLINE void prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }

enum { AHEAD = 2048 }; /* hardware does not prefetch across pages of 4 KiB */

/* the `vectors` vectors that come AHEAD bytes later */
INLINE void prefetch_ahead(const uint8_t *w, int vectors) {
    for (int line = 0; line < vectors * V; line += 64) prefetch(w + AHEAD + line);
}

#if defined(OBR_AVX512VNNI)
#define U 4
#define BIAS 128
#define SUMS 1
typedef vi vp;

/* table[index & 15], 16 bytes of V / 16 tables */
INLINE vb lookup(vb table, vb index) { return (vb)_mm512_shuffle_epi8((__m512i)table, (__m512i)index); }

INLINE vb table16(const uint8_t *p) { return (vb)_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)p)); }

/* what `gather` takes bytes from: U groups of 8 columns */
typedef __m512i window;

INLINE window groups_of_8(const uint8_t *p) {
    return _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)p));
}

INLINE vb gather(window x, vb index) { return (vb)_mm512_permutexvar_epi8((__m512i)index, x); }

INLINE vp product(vp acc, vb x, vb w) { return (vp)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)x, (__m512i)w); }

#elif defined(OBR_DOTPROD)
#define U 4
#define BIAS 0
#define SUMS 1
typedef vi vp;

INLINE vb lookup(vb table, vb index) { return vqtbl1q_u8(table, index); }

INLINE vb table16(const uint8_t *p) { return vld1q_u8(p); }

typedef uint8x16x2_t window;

INLINE window groups_of_8(const uint8_t *p) { return (window){{vld1q_u8(p), vld1q_u8(p + 16)}}; }

INLINE vb gather(window x, vb index) { return vqtbl2q_u8(x, index); }

INLINE vp product(vp acc, vb x, vb w) { return vdotq_s32(acc, (int8x16_t)x, (int8x16_t)w); }

#else
#define U 2
#define BIAS 128
#define SUMS 2
typedef int16_t vp __attribute__((vector_size(V)));

INLINE vb lookup(vb table, vb index) { return (vb)_mm256_shuffle_epi8((__m256i)table, (__m256i)index); }

INLINE vb table16(const uint8_t *p) { return (vb)_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p)); }

typedef vb window;

INLINE window groups_of_8(const uint8_t *p) { return table16(p); }

INLINE vb gather(window x, vb index) { return lookup(x, index); }

INLINE vp product(vp acc, vb x, vb w) { return acc + (vp)_mm256_maddubs_epi16((__m256i)x, (__m256i)w); }
#endif

/* Products of rows of U bytes: begin, up to 8 products, end. */
#if U == 4
INLINE vp begin(const vi *sums) { return sums[0]; }

INLINE void end(vi *sums, vp products) { sums[0] = products; }
#else
INLINE vp begin(const vi *sums) {
    (void)sums;
    return (vp){0};
}

INLINE void end(vi *sums, vp products) {
    sums[0] += (vi)_mm256_madd_epi16((__m256i)products, _mm256_set1_epi32(1)); /* low half * 1 + high half * 0 */
    sums[1] += (vi)products >> 16;
}
#endif

/* Products of rows of 4 bytes, whatever U is. */
#if defined(OBR_AVXVNNI)
typedef vi vq4;
INLINE vq4 product4(vq4 acc, vb x, vb w) {
    return (vi)_mm256_dpbusd_avx_epi32((__m256i)acc, (__m256i)x, (__m256i)w);
}
#else
typedef vp vq4;
INLINE vq4 product4(vq4 acc, vb x, vb w) { return product(acc, x, w); }
#endif

#if U == 4 || defined(OBR_AVXVNNI)
INLINE vq4 begin4(vi sums) { return sums; }

INLINE vi end4(vi sums, vq4 products) {
    (void)sums;
    return products;
}
#else
INLINE vq4 begin4(vi sums) {
    (void)sums;
    return (vq4){0};
}

INLINE vi end4(vi sums, vq4 products) {
    return sums + (vi)_mm256_madd_epi16((__m256i)products, _mm256_set1_epi16(1));
}
#endif
