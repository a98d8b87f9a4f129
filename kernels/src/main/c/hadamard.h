/*
 * The Hadamard transforms that a rotated model leaves to the runtime: x [n, width] <- (H kron S) x / sqrt(n), each column a vector of n = order * 2^k components, in place.
 *
 *     x   [order][2^k][width]      S: per block of 2^k rows the fast Walsh-Hadamard transform, pairs of rows at distance 1, 2, 4, .. become (a + b, a - b)
 *          block 0 | r0 r1 .. |    H: the blocks are mixed by a dense matrix of signs [order, order], a vector of columns at a time
 *          block 1 | r0 r1 .. |
 *
 * Two steps of S are taken at once, so that x is read and written half as often; distances within a vector are exchanges of lanes. Every sum is that of the plain algorithm
 * (HadamardTransform.java), term by term: signs multiply exactly, so that results are equal to the bit.
 *
 * Limits: any n with a Hadamard matrix, any width of at least 1.
 * Bound: (k + order) n additions in vectors of LANES, from L1. In profiles with AVX2 on a Zen 3, the transforms of a decoder layer of the
 * 1B shape went from about 80 us in Java to 9.
 */

enum { LARGEST_ORDER = 1024 };

/* lane i <- lane i ^ distance; distance is a constant where this is expanded */
INLINE vf exchanged(vf v, int distance) {
#if defined(__clang__)
    vf w;
    for (int i = 0; i < LANES; i++) w[i] = v[i ^ distance];
    return w;
#else
    vi from;
    for (int i = 0; i < LANES; i++) from[i] = i ^ distance;
    return __builtin_shuffle(v, from);
#endif
}

/* pairs of lanes at a distance: (a + b, a - b) */
INLINE vf within_vector(vf v, int distance) {
    vf sign;
    for (int i = 0; i < LANES; i++) sign[i] = i & distance ? -1.0f : 1.0f;
    return exchanged(v, distance) + v * sign;
}

/* pairs at distance `half` of n floats */
INLINE void one_step(float *x, int64_t n, int64_t half) {
    for (float *a = x; a < x + n; a += 2 * half) {
        float *b = a + half;
        int64_t j = 0;
        for (; j + LANES <= half; j += LANES) {
            vf u = load(a + j), v = load(b + j);
            store(a + j, u + v);
            store(b + j, u - v);
        }
        for (; j < half; j++) {
            float u = a[j], v = b[j];
            a[j] = u + v;
            b[j] = u - v;
        }
    }
}

/* the steps at `half`, a multiple of LANES, and at twice that */
INLINE void two_steps(float *x, int64_t n, int64_t half) {
    for (float *a = x; a < x + n; a += 4 * half)
        for (int64_t j = 0; j < half; j += LANES) {
            float *p = a + j;
            vf w0 = load(p), w1 = load(p + half), w2 = load(p + 2 * half), w3 = load(p + 3 * half);
            vf u0 = w0 + w1, u1 = w0 - w1, u2 = w2 + w3, u3 = w2 - w3;
            store(p, u0 + u2);
            store(p + half, u1 + u3);
            store(p + 2 * half, u0 - u2);
            store(p + 3 * half, u1 - u3);
        }
}

/* the steps at 1, 2, .. LANES / 2 of n floats, a multiple of LANES */
INLINE void steps_within_vectors(float *x, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        vf v = load(x + i);
        v = within_vector(v, 1);
        v = within_vector(v, 2);
#if LANES > 4
        v = within_vector(v, 4);
#endif
#if LANES > 8
        v = within_vector(v, 8);
#endif
        store(x + i, v);
    }
}

/* S on one block of n floats: rows of `width`, a power of two of them */
static void walsh_hadamard(float *x, int64_t n, int64_t width) {
    int64_t half = width;
    if (width == 1 && n >= LANES) {
        steps_within_vectors(x, n);
        half = LANES;
    }
    for (; half % LANES == 0 && 4 * half <= n; half *= 4) two_steps(x, n, half);
    for (; 2 * half <= n; half *= 2) one_step(x, n, half);
}

/* x [order, n] <- signs [order, order] x * scale */
static void mix_blocks(float *x, int order, int64_t n, const int8_t *signs, float scale) {
    vf column[LARGEST_ORDER];
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        for (int l = 0; l < order; l++) column[l] = load(x + l * n + j);
        for (int i = 0; i < order; i++) {
            const int8_t *sign = signs + (int64_t)i * order;
            vf total = zero();
            for (int l = 0; l < order; l += 2)
                total += column[l] * (float)sign[l] + column[l + 1] * (float)sign[l + 1];
            store(x + i * n + j, total * scale);
        }
    }
    float single[LARGEST_ORDER];
    for (; j < n; j++) {
        for (int l = 0; l < order; l++) single[l] = x[l * n + j];
        for (int i = 0; i < order; i++) {
            const int8_t *sign = signs + (int64_t)i * order;
            float total = 0;
            for (int l = 0; l < order; l += 2) total += single[l] * (float)sign[l] + single[l + 1] * (float)sign[l + 1];
            x[i * n + j] = total * scale;
        }
    }
}

OBR_API void NAME(obr_hadamard)(float *x, int32_t n, int32_t width, int32_t order, const int8_t *signs, float scale) {
    int64_t block = (int64_t)n / order * width;
    for (int b = 0; b < order; b++) walsh_hadamard(x + b * block, block, width);
    if (order > 1) {
        mix_blocks(x, order, block, signs, scale);
        return;
    }
    int64_t i = 0;
    for (; i + LANES <= block; i += LANES) store(x + i, load(x + i) * scale);
    for (; i < block; i++) x[i] *= scale;
}
