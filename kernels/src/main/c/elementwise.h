/*
 * The operations between the linear layers: RMSNorm, rotary embedding, SwiGLU's gate, residual add, rounding of keys and values, and a bare read of memory.
 *
 * Layout: plain float32 rows; each reads its operands once. Bound: L1 or L2 bandwidth, far below the linear layers' share, so nothing is tiled.
 */

/* exp(x) within 2 units of rounding. x = n ln 2 + r with |r| <= ln 2 / 2; e^r by the Taylor polynomial of degree 7 in Horner's form; 2^n is put into the exponent. */
INLINE vf exponential(vf x) {
    x = choose(x < splat(-87.0f), splat(-87.0f), x); /* a NaN passes both comparisons */
    x = choose(x > splat(88.0f), splat(88.0f), x);
    vf shifted =
        x * 1.44269504f + splat(0x1.8p23f); /* the addition rounds to an integer, which the low bits then hold */
    vf n = shifted - 0x1.8p23f;
    vf r = x - n * 0x1.62e4p-1f; /* ln 2 in two parts: the product with the first is exact */
    r = r - n * 0x1.7f7d1cp-20f;
    vf p = r * (1.0f / 5040) + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * (vf)(((vi)shifted << 23) + 0x3f800000);
}

OBR_API void NAME(obr_rms_norm)(const float *x, const float *weight, float eps, int32_t n, float *y) {
    vf squares = zero();
    int i = 0;
    for (; i + LANES <= n; i += LANES) squares += load(x + i) * load(x + i);
    float total = sum(squares);
    for (; i < n; i++) total += x[i] * x[i];
    float scale = 1.0f / __builtin_sqrtf(total / (float)n + eps);
    for (i = 0; i + LANES <= n; i += LANES) store(y + i, load(x + i) * scale * load(weight + i));
    for (; i < n; i++) y[i] = x[i] * scale * weight[i];
}

OBR_API void NAME(obr_rope)(float *x, int32_t heads, int32_t head_dim, const float *cos_sin) {
    int half = head_dim / 2;
    const float *cosines = cos_sin;
    const float *sines = cos_sin + half;
    for (int h = 0; h < heads; h++) {
        float *a = x + (int64_t)h * head_dim;
        float *b = a + half;
        int i = 0;
        for (; i + LANES <= half; i += LANES) {
            vf ai = load(a + i), bi = load(b + i), c = load(cosines + i), s = load(sines + i);
            store(a + i, ai * c - bi * s);
            store(b + i, bi * c + ai * s);
        }
        for (; i < half; i++) {
            float ai = a[i], bi = b[i];
            a[i] = ai * cosines[i] - bi * sines[i];
            b[i] = bi * cosines[i] + ai * sines[i];
        }
    }
}

INLINE vf silu(vf x) { return x / (1.0f + exponential(-x)); }

OBR_API void NAME(obr_silu_mul)(float *gate, const float *up, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) store(gate + i, silu(load(gate + i)) * load(up + i));
    for (; i < n; i++) gate[i] = silu(splat(gate[i]))[0] * up[i];
}

OBR_API void NAME(obr_add)(float *x, const float *y, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) store(x + i, load(x + i) + load(y + i));
    for (; i < n; i++) x[i] += y[i];
}

OBR_API void NAME(obr_store)(const float *x, int32_t type, int32_t n, void *y) {
    uint8_t *bytes = y;
    int i = 0;
    if (type == F32) {
        memmove(y, x, 4 * (size_t)n);
        return;
    }
    for (; i + LANES <= n; i += LANES) store_f16(bytes + 2 * i, load(x + i));
    for (; i < n; i++) {
        uint16_t h = narrow_one(x[i]);
        memcpy(bytes + 2 * i, &h, 2);
    }
}

/* Four vectors of sums keep four loads in flight; the hardware prefetcher does the rest. */
OBR_API int64_t NAME(obr_read)(const int64_t *words, int64_t n) {
    typedef int64_t vw __attribute__((vector_size(4 * LANES)));
    enum { WORDS = LANES / 2 };
    vw sums[4] = {{0}, {0}, {0}, {0}};
    int64_t i = 0;
    for (; i + 4 * WORDS <= n; i += 4 * WORDS)
        for (int j = 0; j < 4; j++) {
            vw v;
            memcpy(&v, words + i + j * WORDS, sizeof v);
            sums[j] += v;
        }
    vw all = sums[0] + sums[1] + sums[2] + sums[3];
    uint64_t total = 0;
    for (int j = 0; j < WORDS; j++) total += (uint64_t)all[j];
    for (; i < n; i++) total += (uint64_t)words[i];
    return (int64_t)total;
}
